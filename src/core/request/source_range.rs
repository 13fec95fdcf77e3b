//! Ranges of source addresses (RFC 4632 3.1, RFC 4291 2.3).

use std::net::IpAddr;

/// An address, or all that share its first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRange {
    network: IpAddr,
    /// Leading bits that count.
    bits: u32,
}

impl SourceRange {
    /// Parses `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let network: IpAddr = address.parse().ok()?;
        let width = width(network);
        let digits = |prefix: &str| prefix.bytes().all(|byte| byte.is_ascii_digit());
        let bits = match prefix {
            Some(prefix) => prefix.parse().ok().filter(|bits| digits(prefix) && *bits <= width)?,
            None => width,
        };
        Some(Self { network, bits })
    }

    /// Whether every address of its family is in it.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.bits == 0
    }

    /// Whether `address` is in it. An IPv4 address inside an IPv6 one is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let ignored = width(self.network).saturating_sub(self.bits);
        let leading = |address: IpAddr| number(address).checked_shr(ignored).unwrap_or(0);
        self.network.is_ipv4() == address.is_ipv4() && leading(self.network) == leading(address)
    }
}

const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::SourceRange;

    #[test]
    fn addresses_in_ranges() {
        for (text, address, expected) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1/32", "127.0.0.1", true),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.1.2.3/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/9", "10.128.0.1", false),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "10.0.0.1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("127.0.0.1", "::127.0.0.1", false),
        ] {
            let range = SourceRange::parse(text).unwrap();
            assert_eq!(range.contains(address.parse().unwrap()), expected, "{range:?} {address}");
            assert_eq!(range.is_everything(), text.ends_with("/0"), "{text}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0/8",
            "010.0.0.1",
            "::/129",
            "a",
            "10.0.0.1/8/8",
            "10.0.0.1:80",
            "fe80::1%eth0",
        ] {
            assert_eq!(SourceRange::parse(text), None, "{text}");
        }
    }
}
