//! The index of one stream is what a naive splitter makes of its bytes, however they were read.

use crate::fixture::{AT, STDERR, STDOUT, indexed, printed, split};
use engine::logs::{
    MAX_LINE,
    writer::{Unfinished, Writer},
};
use proptest::{collection::vec, prelude::*};
use std::fs;
use tempfile::TempDir;

/// Bytes with many line ends, carriage returns, NULs and broken UTF-8; now and then a long line.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => any::<u8>(),
        2 => Just(b'\n'),
        1 => Just(b'\r'),
        1 => Just(0),
        1 => Just(0xff),
    ];
    let long = (MAX_LINE - 3..3 * MAX_LINE).prop_map(|length| vec![b'x'; length]);
    let piece = prop_oneof![8 => vec(byte, 0..200), 1 => long];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_any_chunks(text in output(), cuts in vec(any::<prop::sample::Index>(), 0..12)) {
        let dir = TempDir::new().unwrap();
        let mut writer = Writer::open(dir.path()).unwrap();
        let mut line = Unfinished::new(STDOUT);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            writer.append(&mut line, &text[pair[0]..pair[1]], AT);
        }
        writer.finish(&mut line, AT);
        prop_assert_eq!(fs::read(dir.path().join("log")).unwrap(), text.clone());
        prop_assert_eq!(indexed(dir.path()), split(&text));
    }

    #[test]
    fn two_streams_keep_their_bytes_each(
        chunks in vec((any::<bool>(), vec(prop_oneof![any::<u8>(), Just(b'\n')], 0..50)), 0..20),
    ) {
        let dir = TempDir::new().unwrap();
        let mut writer = Writer::open(dir.path()).unwrap();
        let mut lines = [Unfinished::new(STDOUT), Unfinished::new(STDERR)];
        let mut printed = [Vec::new(), Vec::new()];
        for (is_stderr, chunk) in chunks {
            let i = usize::from(is_stderr);
            writer.append(&mut lines[i], &chunk, AT);
            printed[i].extend(chunk);
        }
        for line in &mut lines {
            writer.finish(line, AT);
        }
        let data = fs::read(dir.path().join("log")).unwrap();
        let entries = crate::fixture::entries(dir.path());
        for (i, origin) in [STDOUT, STDERR].into_iter().enumerate() {
            let of_stream = entries.iter().filter(|entry| entry.record.origin == origin);
            let bytes = of_stream.flat_map(|e| &data[e.start as usize..e.record.end as usize]);
            prop_assert_eq!(bytes.copied().collect::<Vec<_>>(), printed[i].clone());
        }
    }
}

#[test]
fn a_line_of_ten_megabytes() {
    let mut text = vec![b'x'; 10 << 20];
    text.extend(b"\nnext");
    let dir = printed(&text);
    let lines = indexed(dir.path());
    assert_eq!(lines, split(&text));
    assert_eq!(lines.len(), 160 + 2);
    assert!(lines[..160].iter().all(|(_, cut)| *cut));
    assert_eq!(lines[160], (b"\n".to_vec(), false));
}
