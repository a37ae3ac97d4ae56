//! Every kind, whole and split, and what is no secret.

use super::*;
use proptest::prelude::*;

const ALL: [SecretKind; 6] = [
    SecretKind::Aws,
    SecretKind::Github,
    SecretKind::Jwt,
    SecretKind::Pem,
    SecretKind::Tailboard,
    SecretKind::Url,
];

/// All that is shown of a stream that comes in these pieces.
fn shown<'a>(kinds: &[SecretKind], chunks: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut patterns = Patterns::of(kinds).unwrap();
    let (mut begun, mut out, mut shown) = (Begun::default(), Vec::new(), Vec::new());
    for chunk in chunks {
        begun.feed(&mut patterns, chunk, &mut out);
        assert!(begun.text.len() <= shape::LONGEST + 64, "bounded");
        shown.extend_from_slice(&out);
    }
    shown.extend(begun.finish());
    String::from_utf8(shown).unwrap()
}

/// A text in which secrets are between `«` and `»`, and how it has to be shown.
fn marked(text: &str) -> (String, String) {
    let (mut plain, mut blanked) = (String::new(), String::new());
    for (i, part) in text.split(['«', '»']).enumerate() {
        plain += part;
        let blank = |c| if c == '\n' || c == '\r' { c } else { '*' };
        blanked.extend(part.chars().map(|c| if i % 2 == 1 { blank(c) } else { c }));
    }
    (plain, blanked)
}

/// What is between `«` and `»` is hidden, and nothing else, wherever the text is split in two, byte for
/// byte, and at once; `kind` alone does it.
#[track_caller]
fn hides(kind: SecretKind, text: &str) {
    let (plain, blanked) = marked(text);
    for split in 0..plain.len() {
        let (head, tail) = plain.as_bytes().split_at(split);
        assert_eq!(shown(&[kind], [head, tail]), blanked, "split at {split}");
    }
    assert_eq!(shown(&[kind], plain.as_bytes().chunks(1)), blanked, "byte for byte");
    assert_eq!(shown(&ALL, [plain.as_bytes()]), blanked, "with the others");
}

/// `n` letters and digits.
fn token(n: usize) -> String {
    "aB3dE5gH1jK2mN4pQ6rS8".chars().cycle().take(n).collect()
}

/// Lines of a key.
fn key(lines: usize) -> String {
    format!("{}\n", token(64)).repeat(lines)
}

#[test]
fn aws_key_ids_are_hidden() {
    hides(SecretKind::Aws, "id «AKIAIOSFODNN7EXAMPLE», «ASIAIOSFODNN7EXAMPLE»\n");
    hides(SecretKind::Aws, "\x1b[32m«AKIAIOSFODNN7EXAMPLE»\x1b[0m AKIAI AKIA");
}

#[test]
fn aws_secrets_are_hidden_beside_their_names() {
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for before in [
        "aws_secret_access_key = ",
        "export AWS_SECRET_ACCESS_KEY='",
        "\"SecretAccessKey\": \"",
        "\x1b[34m\"SecretAccessKey\"\x1b[0m:\x1b[32m\"",
        "\\\"secretAccessKey\\\": \\\"",
        "<SecretAccessKey>",
        "aws configure set aws_secret_access_key ",
        "AWS Secret Access Key: ",
        "--secret-key ",
        "AWS_SESSION_TOKEN=",
        "\"SessionToken\": \"",
    ] {
        hides(SecretKind::Aws, &format!("{before}«{SECRET}»\n{SECRET}"));
    }
    hides(SecretKind::Aws, "AWS_SECRET_ACCESS_KEY=«minio-secret-of-us»; session token: none");
    hides(SecretKind::Aws, "the secret access key is missing; secret_key: short, secrets, session");
}

#[test]
fn github_tokens_are_hidden() {
    for prefix in ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"] {
        hides(SecretKind::Github, &format!("token «{prefix}{}».", token(36)));
        hides(SecretKind::Github, &format!("x «{prefix}{}»\n{prefix}{}", token(60), token(35)));
    }
    hides(SecretKind::Github, &format!("«github_pat_{}_{}» github_pat_x", token(22), token(59)));
    let repeated = "ghp_".repeat(12);
    hides(SecretKind::Github, &format!("«{repeated}»\nghp_ghp_\n"));
}

#[test]
fn signed_tokens_are_hidden() {
    hides(SecretKind::Jwt, "Bearer «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP_mB92-K2»\n");
    hides(
        SecretKind::Jwt,
        "«eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.». «eyJa.eyJb» eyJhbGciOiJub25lIn0",
    );
    hides(SecretKind::Jwt, "eyJhbGciOiJub25lIn0.json eyJeyJ.e eyJ.eyK");
    hides(SecretKind::Jwt, &format!("«eyJ{}.eyJ{}.{}» end", token(300), token(600), token(100)));
}

#[test]
fn private_keys_are_hidden_with_all_their_lines() {
    for label in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "] {
        let begin = format!("-----BEGIN {label}PRIVATE KEY-----");
        let end = format!("-----END {label}PRIVATE KEY-----");
        hides(SecretKind::Pem, &format!("key:\n«{begin}\n{}{end}»\nafter\n", key(3)));
        hides(SecretKind::Pem, &format!("\"«{begin}\\n{}\\n{end}»\\n\"", token(64)));
    }
    let block = format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\r\n\r\n{}", key(2));
    hides(SecretKind::Pem, &format!("-«{block}-----END PGP PRIVATE KEY BLOCK-----»-\r\n"));
}

#[test]
fn a_key_that_does_not_end_is_hidden_up_to_a_bound() {
    hides(SecretKind::Pem, &format!("«-----BEGIN PRIVATE KEY-----\n{}»", key(3)));
    let begin = "-----BEGIN PRIVATE KEY";
    let long = format!("{begin}{}", "x".repeat(pem::LONGEST + 3));
    let blanked = format!("{}xxx", "*".repeat(begin.len() + pem::LONGEST));
    assert_eq!(shown(&ALL, [long.as_bytes()]), blanked);
    assert_eq!(shown(&ALL, long.as_bytes().chunks(1000)), blanked);
}

#[test]
fn a_key_after_one_that_did_not_end_is_hidden_too() {
    let cut = format!("-----BEGIN PRIVATE KEY-----\n{}", key(1));
    let whole = format!("{cut}-----END PRIVATE KEY-----");
    hides(SecretKind::Pem, &format!("«{cut}{whole}» after"));
    hides(SecretKind::Pem, &format!("«{whole}{whole}» after"));
    let joined = whole.replace("KEY-----\n", "KEY-----");
    hides(SecretKind::Pem, &format!("«{joined}{}» after", &joined[5..]));
}

#[test]
fn passwords_in_urls_are_hidden() {
    hides(SecretKind::Url, "psql postgres://app:«s3cret»@db.example.com:5432/app?x=1\n");
    hides(
        SecretKind::Url,
        "redis://:«pass%40word»@cache \"amqp://u:«p@ss:w»@h\" <https://u:«p»@h>",
    );
    hides(
        SecretKind::Url,
        "mongodb+srv://u:«p»@a,b/db https://example.com:8080/a@b, ssh://git@h:22",
    );
    hides(SecretKind::Url, "http://[::1]:80/ http://h:80?m=a@b http://u@h http://h:80 u:p@h ://");
    hides(SecretKind::Url, "https://u:«p»@h");
}

#[test]
fn keys_of_the_board_are_hidden() {
    let key = "0123456789abcdef".repeat(4);
    hides(SecretKind::Tailboard, &format!("Bearer «tb_{key}»\ntb_name tb_{}", &key[..31]));
}

#[test]
fn what_is_no_secret_stays() {
    let image: String = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ+/eyJAKIAghp".repeat(40);
    for text in [
        "commit 3f786850e387550fdab836ed7e6dc881de23001b (HEAD -> main)",
        "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "https://example.com/a/b?c=d#e http://localhost:3000/ ftp://h",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n----- BEGIN -----",
        "ASIA AKIA PACIFIC; ghp_ is a prefix; tb_users; secrets: 3; key: value; eyJ",
        "user@example.com:path, git@github.com:owner/name.git",
        &format!("data:image/png;base64,{image}=="),
    ] {
        for size in [1, 7, text.len()] {
            assert_eq!(shown(&ALL, text.as_bytes().chunks(size)), text);
        }
    }
}

#[test]
fn secrets_within_each_other_are_all_hidden() {
    let ghs = format!("ghs_12_eyJ{}.eyJ{}.{}", token(40), token(40), token(9));
    hides(SecretKind::Github, &format!("ghs: «ghs_{}»\n", token(40)));
    for chunk in [1, 3, 1000] {
        let text = format!("https://x:{ghs}@github.com/a\nAWS_SESSION_TOKEN={ghs}\n");
        let said = shown(&ALL, text.as_bytes().chunks(chunk));
        let stars = "*".repeat(ghs.len());
        assert_eq!(said, format!("https://x:{stars}@github.com/a\nAWS_SESSION_TOKEN={stars}\n"));
    }
}

#[test]
fn what_may_be_the_beginning_of_a_secret_is_held_back_and_no_more() {
    let mut patterns = Patterns::of(&ALL).unwrap();
    let (mut begun, mut out) = (Begun::default(), Vec::new());
    for (chunk, told) in [
        ("Password for you: gh", "Password for you: "),
        ("p_abc", ""),
        (" is none. 42 %", "ghp_abc is none. 42 %"),
        (" -----BEGIN RSA PRIVATE KEY", " **************************"),
        ("abc", "***"),
    ] {
        begun.feed(&mut patterns, chunk.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), told);
    }
}

#[test]
fn a_stream_made_of_beginnings_takes_no_longer_than_any_other() {
    for piece in
        ["eyJ", "ghp_", "github_pat_", "://a:", "-----BEGIN PRIVATE KEY", "secret_key=", "AKIA"]
    {
        let mut patterns = Patterns::of(&ALL).unwrap();
        let (mut begun, mut out) = (Begun::default(), Vec::new());
        let text = piece.repeat((4 << 20) / piece.len());
        let since = std::time::Instant::now();
        text.as_bytes()
            .chunks(64 << 10)
            .for_each(|chunk| begun.feed(&mut patterns, chunk, &mut out));
        // By far: a square would take minutes.
        assert!(since.elapsed().as_secs() < 20, "{piece}: {:?}", since.elapsed());
    }
}

proptest! {
    #[test]
    fn any_split_of_any_text_hides_what_the_whole_would(
        pieces in prop::collection::vec(
            "AKIA|ASIA|gh[ps]_|github_pat_|eyJ|\\.|\\.eyJ|-----|-----BEGIN |END |PRIVATE KEY|tb_|[0-9a-f]{30,34}\
             |[A-Z0-9]{15,17}|[A-Za-z0-9]{34,38}|aws_|secret|_access|_key|session_token|[=: \"'@/\n]|://|u:p@h\
             |\u{1b}\\[[0-9]{1,3}m|é|\\*{3}",
            0..24,
        ),
        sizes in prop::collection::vec(1_usize..40, 1..12),
    ) {
        let text = pieces.concat();
        let whole = shown(&ALL, [text.as_bytes()]);
        prop_assert_eq!(whole.len(), text.len());
        let mut rest = text.as_bytes();
        let mut chunks = Vec::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, others) = rest.split_at(rest.len().min(*size));
            chunks.push(chunk);
            rest = others;
        }
        prop_assert_eq!(&shown(&ALL, chunks), &whole);
        // A byte is as it was, or blanked; lines stay lines.
        prop_assert!(whole.bytes().zip(text.bytes()).all(|(a, b)| a == b || (a == b'*' && b != b'\n')));
    }
}
