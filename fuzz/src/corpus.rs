//! What is kept of earlier runs: a file for each target, an input a line, escaped as Rust writes bytes. So it can be read,
//! a line can be added by hand, and a change is a line in a diff, which thousands of small files of bytes would not be.

use std::fs;
use std::path::{Path, PathBuf};

/// The inputs of a target.
///
/// # Errors
/// The line that is not escaped as [`write`] does it.
pub fn read(text: &str) -> Result<Vec<Vec<u8>>, String> {
    text.lines().map(|line| unescaped(line).ok_or_else(|| line.to_owned())).collect()
}

/// The file with these inputs, in an order that does not change.
#[must_use]
pub fn write(inputs: &[Vec<u8>]) -> String {
    let mut lines: Vec<String> = inputs.iter().map(|input| format!("{}\n", input.escape_ascii())).collect();
    lines.sort_by_key(|line| (line.len(), line.clone()));
    lines.dedup();
    lines.concat()
}

/// The file of this target.
#[must_use]
pub fn file(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(format!("{target}.txt"))
}

/// The inputs that are kept for this target.
///
/// # Errors
/// Its file is not there, or no such file.
pub fn kept(target: &str) -> Result<Vec<Vec<u8>>, String> {
    let path = file(target);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    read(&text)
}

fn unescaped(line: &str) -> Option<Vec<u8>> {
    let (mut rest, mut bytes) = (line.as_bytes(), Vec::new());
    while let Some((first, after)) = rest.split_first() {
        let (byte, behind) = match (*first, after) {
            (b'\\', [b'n', behind @ ..]) => (b'\n', behind),
            (b'\\', [b'r', behind @ ..]) => (b'\r', behind),
            (b'\\', [b't', behind @ ..]) => (b'\t', behind),
            (b'\\', [quoted @ (b'\\' | b'\'' | b'"'), behind @ ..]) => (*quoted, behind),
            (b'\\', [b'x', high, low, behind @ ..]) => {
                let digit =
                    |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                (digit(*high)? << 4 | digit(*low)?, behind)
            }
            (b'\\', _) => return None,
            (byte, behind) => (byte, behind),
        };
        bytes.push(byte);
        rest = behind;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn every_byte_is_read_as_it_was_written() {
        let inputs = vec![Vec::new(), b"a\\x41\n\"'".to_vec(), (0..=255).collect()];
        assert_eq!(read(&write(&inputs)), Ok(inputs));
        for line in ["\\", "\\q", "\\x4", "\\xzz"] {
            assert_eq!(read(line), Err(line.to_owned()));
        }
    }
}
