//! Texts in the place of a secret that are not secret: a reference that was not resolved, or a sample from documentation.
//! They are in public repositories, and everyone who reads them there could sign tokens.
//!
//! A random secret of 32 characters or more is not rejected: the tests draw many, and fewer than one in a million matches
//! a pattern here.

use std::fmt;

/// What a text that is not secret looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSecret {
    /// `${NAME}`, `$NAME`, `{{ name }}`: the value was not filled in.
    Variable,
    /// `ENV:NAME`: the form is right, in small letters.
    Environment,
    /// `FILE:/path`.
    File,
    /// `/run/secrets/jwt`, `./jwt`, `C:\jwt`.
    Path,
    /// `https://…`, `vault://…`.
    Url,
    /// `urn:…`, `vault:…`, `arn:…`.
    Reference,
    /// `change-me`, `your-256-bit-secret`.
    Sample,
}

/// Kinds of references, before their colon. Shorter ones are left out: a random secret could begin so.
const REFERENCES: [&str; 10] =
    ["urn", "arn", "vault", "bao", "ssm", "sops", "secret", "secrets", "secretsmanager", "k8s"];
/// Where files usually are; a name below may look random.
const DIRECTORIES: [&str; 15] = [
    "/run/",
    "/etc/",
    "/var/",
    "/home/",
    "/opt/",
    "/mnt/",
    "/usr/",
    "/tmp/",
    "/root/",
    "/srv/",
    "/secrets/",
    "/secret/",
    "/keys/",
    "/vault/",
    "/data/",
];
/// Parts of sample texts, letters and digits alone.
const SAMPLES: [&str; 10] = [
    "changeme",
    "changeit",
    "changethis",
    "replaceme",
    "replacethis",
    "256bitsecret",
    "384bitsecret",
    "512bitsecret",
    "secretatleast",
    "placeholder",
];

/// What `text` looks like, if it is not secret.
pub fn recognised(text: &str) -> Option<NoSecret> {
    let text = text.trim();
    if is_variable(text) {
        return Some(NoSecret::Variable);
    }
    if is_path(text) {
        return Some(NoSecret::Path);
    }
    if let Some(reference) = reference(text) {
        return Some(reference);
    }
    is_sample(text).then_some(NoSecret::Sample)
}

fn is_variable(text: &str) -> bool {
    let within = |open: &str, close: &str| text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
    let named = |inner: &str| {
        let end = inner.find(|c: char| !is_name_char(c)).unwrap_or(inner.len());
        let (name, rest) = inner.split_at_checked(end).unwrap_or_default();
        is_name(name)
            && (rest.is_empty() || [":-", ":?", ":+", "-", "?"].iter().any(|op| rest.starts_with(op)))
    };
    let is_command =
        |inner: &str| !inner.is_empty() && inner.chars().all(|c| is_name_char(c) || " /:-".contains(c));
    text.strip_prefix('$').is_some_and(is_name)
        || within("${", "}").is_some_and(named)
        || within("$(", ")").is_some_and(is_command)
        || within("%", "%").is_some_and(is_name)
        || within("{{", "}}").is_some()
        || text.split("${").skip(1).any(is_capitals_and_brace)
        || text.split("{{").skip(1).any(|after| after.starts_with([' ', '.']) && after.contains("}}"))
}

/// `NAME}`: the end of a variable inside other text.
fn is_capitals_and_brace(after: &str) -> bool {
    after.split_once('}').is_some_and(|(name, _)| {
        name.len() >= 5
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| is_name_char(c) && !c.is_ascii_lowercase())
    })
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(is_name_char)
}

const fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

fn is_path(text: &str) -> bool {
    let in_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '\\' | ' ');
    let text = text.strip_prefix('~').unwrap_or(text);
    let is_relative = ["./", "../", ".\\", "..\\", "\\\\"].iter().any(|start| text.starts_with(start));
    let behind_drive = text
        .strip_prefix(|c: char| c.is_ascii_alphabetic())
        .and_then(|text| text.strip_prefix(':').filter(|text| text.starts_with(['/', '\\'])));
    match behind_drive {
        Some(path) => path.chars().all(in_names),
        None if is_relative => text.chars().all(in_names),
        None if DIRECTORIES.iter().any(|directory| text.starts_with(directory)) => true,
        // Base64 may begin with a slash as well. In random text every second character is of another kind than the
        // one before, in names few are.
        None => text.starts_with('/') && text.chars().all(in_names) && changes(text) <= text.len() / 5,
    }
}

/// How often a letter or digit follows one of another kind: small letters, capitals, digits.
fn changes(text: &str) -> usize {
    let kind = |byte: &u8| match byte {
        b'a'..=b'z' => Some(0),
        b'A'..=b'Z' => Some(1),
        b'0'..=b'9' => Some(2),
        _ => None,
    };
    let bytes = text.as_bytes();
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    pairs.filter_map(|(one, next)| Some((kind(one)?, kind(next)?))).filter(|(one, next)| one != next).count()
}

fn reference(text: &str) -> Option<NoSecret> {
    let (before, after) = text.split_once(':')?;
    let word = before.trim_start_matches('$').trim_end().to_ascii_lowercase();
    let is_scheme = word.len() >= 2
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let is_in_url = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
    match word.as_str() {
        "env" => Some(NoSecret::Environment),
        "file" => Some(NoSecret::File),
        _ if is_scheme && after.starts_with("//") && after.chars().all(is_in_url) => Some(NoSecret::Url),
        word => REFERENCES.contains(&word).then_some(NoSecret::Reference),
    }
}

fn is_sample(text: &str) -> bool {
    let text: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let yours = text.split_once("your").is_some_and(|(_, what)| {
        ["secret", "key", "password", "token"].iter().any(|word| what.contains(word))
    });
    yours
        || SAMPLES.iter().any(|sample| text.contains(sample))
        || ["secret", "password"].iter().any(|word| text.matches(word).count() >= 3)
}

impl fmt::Display for NoSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Variable => "looks like a variable without its value; write env:NAME for the variable NAME",
            Self::Environment => "looks like the name of a variable; write env: in small letters: env:NAME",
            Self::File => "looks like a path; write file: in small letters: file:/run/secrets/jwt",
            Self::Path => "looks like a path; write file:/run/secrets/jwt for the secret in /run/secrets/jwt",
            Self::Url => {
                "looks like a URL; jwksUrl is for keys from a URL, a secret is env:NAME or file:/path"
            }
            Self::Reference => "looks like a reference that nobody resolves; write env:NAME or file:/path",
            Self::Sample => "is a sample that everyone knows; make a secret with openssl rand -base64 48",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::NoSecret::{Environment, File, Path, Reference, Sample, Url, Variable};
    use super::recognised;
    use crate::core::jwk::secret;
    use crate::core::token::base64url;
    use proptest::prelude::*;

    #[test]
    fn texts_that_are_no_secret() {
        for (text, expected) in [
            ("${JWT_SIGNING_SECRET_OF_PRODUCTION}", Some(Variable)),
            ("${JWT_SECRET:-0123456789abcdef0123456789abcdef}", Some(Variable)),
            ("${env.JWT_SECRET}", Some(Variable)),
            ("prefix-${JWT_SECRET}-of-thirty-two-bytes", Some(Variable)),
            ("prefix-${SECRET}-of-thirty-two-bytes", Some(Variable)),
            ("$JWT_SIGNING_SECRET_OF_PRODUCTION", Some(Variable)),
            ("$(cat /run/secrets/jwt-signing-secret)", Some(Variable)),
            ("$(JWT_SIGNING_SECRET_OF_PRODUCTION)", Some(Variable)),
            ("%JWT_SIGNING_SECRET_OF_PRODUCTION%", Some(Variable)),
            ("{{ .Values.jwt.signingSecret }}", Some(Variable)),
            ("{{env \"JWT_SIGNING_SECRET\"}}", Some(Variable)),
            ("secret-{{ jwt_signing_secret }}", Some(Variable)),
            ("$_JWT_SIGNING_SECRET_OF_PRODUCTION", Some(Variable)),
            ("secret-{{.jwt_signing_secret}}", Some(Variable)),
            ("ENV:JWT_SIGNING_SECRET_PRODUCTION_X", Some(Environment)),
            ("Env:JWT_SIGNING_SECRET_PRODUCTION_X", Some(Environment)),
            ("env:JWT_SIGNING_SECRET_PRODUCTION_X", Some(Environment)),
            ("$env:JWT_SIGNING_SECRET_PRODUCTION_X", Some(Environment)),
            ("FILE:/run/secrets/jwt-signing-secret", Some(File)),
            ("File:jwt-signing-secret-of-production", Some(File)),
            ("/run/secrets/jwt-signing-secret-production", Some(Path)),
            ("/run/secrets/aB3dE5gH7jK9mN1pQ3sT5vW7yZ9b", Some(Path)),
            ("/JWT_SECRETS/PRODUCTION/SIGNING_SECRET_V2", Some(Path)),
            ("/k8s/production/jwtSigningSecret/data.txt", Some(Path)),
            ("./secrets/jwt-signing-secret-production", Some(Path)),
            ("../secrets/jwt-signing-secret-production", Some(Path)),
            ("~/secrets/jwt-signing-secret-production", Some(Path)),
            (r"C:\secrets\jwt-signing-secret-production", Some(Path)),
            ("d:/secrets/jwt-signing-secret-production", Some(Path)),
            (r"\\server\secrets\jwt-signing-secret", Some(Path)),
            ("https://idp.example.com/.well-known/jwks.json", Some(Url)),
            ("HTTPS://idp.example.com/.well-known/jwks.json", Some(Url)),
            ("op://vault/item/jwt-signing-secret", Some(Url)),
            ("ref+vault://secret/jwt#/signing-secret", Some(Url)),
            ("urn:k8s:secret:jwt:signing-secret-of-production", Some(Reference)),
            ("URN:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", Some(Reference)),
            ("vault:secret/data/traefik#jwt_signing_secret", Some(Reference)),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:jwt", Some(Reference)),
            ("change-me-to-a-secret-of-32-bytes!", Some(Sample)),
            ("please CHANGE_ME please, I have 32 bytes", Some(Sample)),
            ("changeme", Some(Sample)),
            ("0123456789-changeit-0123456789-abcdef", Some(Sample)),
            ("your-256-bit-secret-your-256-bit-secret", Some(Sample)),
            ("a-string-secret-at-least-256-bits-long", Some(Sample)),
            ("your_very_long_and_actual_signing_key_here", Some(Sample)),
            ("secretsecretsecretsecretsecretsecret", Some(Sample)),
            ("Secret 1, Secret 2, Secret 3, Secret 4", Some(Sample)),
            ("${JWT_SIGNING_SECRET_OF_PRODUCTION}\n", Some(Variable)),
            // These were chosen deliberately.
            ("${1WT_SECRET:-0123456789abcdef0123456789abcdef}", None),
            ("${JWT_SECRET=0123456789abcdef0123456789abcdef}", None),
            ("$(openssl rand -base64 48 | head & 0123456789)", None),
            ("a secret ${jwt} of thirty-two bytes or more", None),
            ("a secret ${JWT} of thirty-two bytes or more", None),
            ("a secret ${1JWT} of thirty-two bytes or more", None),
            // Four characters are found in random text, too.
            ("a secret ${_1OF} of thirty-two bytes or more", None),
            ("a secret ${K1OF} of thirty-two bytes or more", None),
            ("a secret ${1SECRET} of thirty-two bytes or more", None),
            ("a secret ${TOKEN} of thirty-two bytes or more", Some(Variable)),
            ("a secret {{x}} of thirty-two bytes or more", None),
            ("a secret {{ x of thirty-two bytes or more", None),
            ("a secret {{.x of thirty-two bytes or more", None),
            ("a://0123456789abcdef+0123456789abcdef", None),
            ("1ab://0123456789abcdef0123456789abcdef", None),
            ("a_b://0123456789abcdef0123456789abcdef", None),
            ("abc://0123456789abcdef 0123456789abcdef", None),
            ("abc:/0123456789abcdef0123456789abcdef", None),
            ("/1a2b3c4d5e6f7a8b9c1d2e3f4a5b6c7d8e9f", None),
            ("0123456789abcdef0123456789abcdef", None),
            ("a secret of thirty-two bytes or more", None),
            ("correct horse battery staple, twice over", None),
            ("/wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4=", None),
            ("/zAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm", None),
            ("//f39/fn5+fXl5eXl5eXl5eXl5fX5+fn9/f39/f39/c=", None),
            ("$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", None),
            ("prod:8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c", None),
            ("a=b?c:d//e 0123456789abcdef0123456789", None),
            ("", None),
        ] {
            assert_eq!(recognised(text), expected, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn random_secrets_are_secrets(
            ascii in "[ -~]{32,96}",
            hex in "[0-9a-f]{32,128}",
            alphanumeric in "[A-Za-z0-9]{32,96}",
            bytes in prop::collection::vec(any::<u8>(), 34..96),
        ) {
            let in_base64 = |bytes: &[u8]| base64url::encode(bytes).replace('-', "+").replace('_', "/");
            let with_slash = in_base64(&[&[0xff], bytes.as_slice()].concat());
            let (url, base64) = (base64url::encode(&bytes), in_base64(&bytes));
            for text in [&ascii, &hex, &alphanumeric, &url, &base64, &with_slash, &format!("{base64}=")] {
                prop_assert_eq!(secret::parse(text.as_bytes(), false).err(), None, "{}", text);
            }
            for text in [&url, &base64, &with_slash] {
                prop_assert_eq!(secret::parse(text.as_bytes(), true).err(), None, "{}", text);
            }
            prop_assert_eq!(secret::parse(&bytes, false).err(), None);
        }
    }
}
