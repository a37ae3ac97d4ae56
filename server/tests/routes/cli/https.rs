//! A board behind https, with a certificate that an authority of one's own signed.

use super::board::{Board, Done, done};
use crate::running::pipeline;
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// What ends https before a board.
struct Https {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Https {
    /// With the certificate of this name in `dir`.
    async fn before(server: SocketAddr, dir: &Path, name: &str) -> Self {
        let certificate = CertificateDer::from_pem_file(dir.join(name).with_extension("pem"));
        let key = PrivateKeyDer::from_pem_file(dir.join(name).with_extension("key"));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.unwrap()], key.unwrap());
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that does not trust it goes away.
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let mut server = TcpStream::connect(server).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { address, accepting }
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// In `dir` an authority, `ca.pem`, and for each of these subjects a certificate that it signed.
fn certificates(dir: &Path, subjects: &[(&str, &str)]) {
    let openssl = |args: &[&str]| {
        let made = std::process::Command::new("openssl").args(args).current_dir(dir).output();
        let made = made.expect("openssl is there");
        assert!(made.status.success(), "{args:?}: {}", String::from_utf8_lossy(&made.stderr));
    };
    let file = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    file("ca.ext", "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\n");
    let request = |name: &str| {
        openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "sec1"]);
        let key = format!("{name}.key");
        openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", "sec1", "-out", &key]);
        let subject = format!("/CN={name}");
        openssl(&["req", "-new", "-key", &key, "-subj", &subject, "-out", "request"]);
    };
    let sign = |name: &str, by: &[&str]| {
        let (extensions, out) = (format!("{name}.ext"), format!("{name}.pem"));
        let args = ["x509", "-req", "-in", "request", "-days", "2", "-extfile", &extensions];
        openssl(&[&args, by, &["-out", &out]].concat());
    };
    request("ca");
    sign("ca", &["-signkey", "ca.key"]);
    for (name, subject) in subjects {
        request(name);
        file(&format!("{name}.ext"), &format!("subjectAltName = {subject}\n"));
        sign(name, &["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_is_asked_by_https_if_who_signed_its_certificate_is_trusted() {
    let board = Board::start(&pipeline("prints", &["seq 1 5000; exit 3"])).await;
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path(), &[("board", "IP:127.0.0.1"), ("other", "DNS:other.example.org")]);
    let authority = dir.path().join("ca.pem");
    let ask = async |https: &Https, args: &[&str], is_trusted: bool| -> Done {
        let mut command = board.command(args);
        command.env("TAILBOARD_URL", format!("https://{}", https.address));
        if is_trusted {
            command.env("SSL_CERT_FILE", &authority);
        }
        done(command).await
    };

    let https = Https::before(board.address, dir.path(), "board").await;
    let run = ask(&https, &["run", "prints", "--follow"], true).await;
    assert_eq!(run.status, Some(1), "{}", run.err);
    assert!(run.text().lines().eq((1..=5000).map(|n| n.to_string())));
    assert!(!run.err.contains("warning"), "{}", run.err);
    let log = ask(&https, &["logs", "latest"], true).await;
    assert_eq!(log.out, run.out);

    let unknown = ask(&https, &["jobs"], false).await;
    assert_eq!(unknown.status, Some(5), "{}", unknown.err);
    for part in ["cannot trust https://127.0.0.1:", "authorities of this system", "SSL_CERT_FILE"] {
        assert!(unknown.err.contains(part), "{}", unknown.err);
    }
    // A token goes nowhere else.
    let other = Https::before(board.address, dir.path(), "other").await;
    let refused = ask(&other, &["jobs"], true).await;
    assert_eq!(refused.status, Some(5), "{}", refused.err);
    for part in ["cannot trust", "other.example.org", "--url"] {
        assert!(refused.err.contains(part), "{}", refused.err);
    }
    board.stop().await;
}
