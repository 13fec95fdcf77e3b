//! Paths below the mounts, which the host takes as they are: it follows `..`.

use std::borrow::Cow;

/// `path` without empty parts and `.`, if it is absolute and has no `..`.
pub(super) fn plain(path: &str) -> Option<Cow<'_, str>> {
    if is_plain(path) {
        return Some(Cow::Borrowed(path));
    }
    if !path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let mut plain = String::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            return None;
        }
        plain = plain + "/" + part;
    }
    Some(Cow::Owned(plain))
}

/// Whether it is that already, as it usually is: markers and proofs are looked for with each request, so it is looked
/// through once, byte by byte.
fn is_plain(path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else { return false };
    let (mut length, mut dots) = (0_usize, 0_usize);
    for byte in path.bytes() {
        match byte {
            // A part that is nothing, `.` or `..`.
            b'/' if length == dots && length <= 2 => return false,
            b'/' => (length, dots) = (0, 0),
            0 => return false,
            b'.' => (length, dots) = (length.saturating_add(1), dots.saturating_add(1)),
            _ => length = length.saturating_add(1),
        }
    }
    length != dots || length > 2
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn without_what_says_nothing_and_never_upwards() {
        for (path, expected) in [
            ("/revoked/jti/K9gGyX8O", Some("/revoked/jti/K9gGyX8O")),
            ("/a", Some("/a")),
            ("/.a/b./..c/...", Some("/.a/b./..c/...")),
            ("//a///b/", Some("/a/b")),
            ("/./a/./b/.", Some("/a/b")),
            ("/", Some("")),
            ("/.", Some("")),
            ("/..", None),
            ("/../a", None),
            ("/a/..", None),
            ("/a/../b", None),
            ("//a/./../b", None),
            ("/a/b/..", None),
            ("a", None),
            ("./a", None),
            ("", None),
            ("/a\0", None),
            ("/a/\0/b", None),
            ("//a\0", None),
        ] {
            assert_eq!(plain(path).as_deref(), expected, "{path:?}");
        }
    }

    #[test]
    fn a_plain_path_is_taken_as_it_is() {
        let is_borrowed = |path| matches!(plain(path), Some(std::borrow::Cow::Borrowed(_)));
        for path in ["/revoked/jti/K9gGyX8O", "/a/b", "/a/.../b", "/a/..."] {
            assert!(is_borrowed(path), "{path}");
        }
        assert!(!is_borrowed("/revoked//jti"));
    }
}
