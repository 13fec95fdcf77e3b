//! Addresses that only the configuration may name: a redirect and a `jwks_uri` must not lead to them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Metadata services of clouds that are not link-local (169.254.169.254 and fe80::/10 are): Alibaba, Azure, Oracle.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
/// The same of IPv6: Amazon, Google.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// Whether a fetched document or a redirect may lead to this address. Metadata services of clouds have link-local and a few
/// other addresses, and an unspecified address is this machine: a key server has no reason to point there. Loopback and
/// private addresses are allowed, because key servers of clusters have them.
#[must_use]
pub fn may_be_led_to(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !is_this_network(address) && !is_metadata(address),
        IpAddr::V6(address) => may_be_led_to_v6(address),
    }
}

/// All of 0.0.0.0/8 is "this network" (RFC 1122 3.2.1.3); Linux connects 0.0.0.0 to the local machine.
const fn is_this_network(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [0, ..])
}

fn is_metadata(address: Ipv4Addr) -> bool {
    address.is_link_local() || METADATA_V4.contains(&address)
}

fn may_be_led_to_v6(address: Ipv6Addr) -> bool {
    if address == Ipv6Addr::LOCALHOST {
        return true;
    }
    if address.is_unicast_link_local() || METADATA_V6.contains(&address) {
        return false;
    }
    match address.segments() {
        // IPv4-compatible, IPv4-mapped (RFC 4291 2.5.5), IPv4-translated (RFC 2765), NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        // 6to4 (RFC 3056).
        | [0x2002, high, low, ..] => may_be_led_to(IpAddr::V4(joined(high, low))),
        // Teredo (RFC 4380 4): the client's, inverted.
        [0x2001, 0, .., high, low] => may_be_led_to(IpAddr::V4(joined(!high, !low))),
        [0x64, 0xff9b, 1, ..] => local_nat64(address).iter().all(|inner| !is_metadata(*inner)),
        _ => true,
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

/// The addresses that one of 64:ff9b:1::/48 (RFC 8215) may stand for: the network chooses the length of the prefix from
/// those of RFC 6052 2.2, and byte 8 is left out. Zeros do not count as an unspecified address here: the shorter readings
/// of a longer prefix have them.
fn local_nat64(address: Ipv6Addr) -> [Ipv4Addr; 4] {
    let [_, _, _, _, _, _, a, b, _, c, d, e, f, g, h, i] = address.octets();
    [[a, b, c, d], [b, c, d, e], [c, d, e, f], [f, g, h, i]].map(Ipv4Addr::from)
}

#[cfg(test)]
mod tests {
    use super::may_be_led_to;

    #[test]
    fn nothing_that_was_fetched_leads_to_metadata_services_and_unspecified_addresses() {
        for text in [
            "169.254.169.254",
            "169.254.0.0",
            "169.254.255.255",
            "0.0.0.0",
            "0.1.2.3",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "::",
            "::2",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            // The same in the forms of IPv6.
            "::169.254.169.254",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b::",
            "64:ff9b::100.100.100.200",
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1:a9:fe:a9fe::",
            "64:ff9b:1:0:a9:fea9:fe00:0",
            "64:ff9b:1:aa:a9:fea9:fe00:0",
            "64:ff9b:1:aaaa:a9:fea9:fe00:0",
            "64:ff9b:1::169.254.169.254",
            "64:ff9b:1:a:b:c:169.254.1.1",
            "2002:a9fe:a9fe::1",
            "2002::1",
            "2001:0:4136:e378:8000:63bf:5601:5601",
            "2001:0:4136:e378:8000:63bf:57c0:7eef",
        ] {
            assert!(!may_be_led_to(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn it_may_lead_to_all_others() {
        for text in [
            "93.184.216.34",
            "127.0.0.1",
            "10.0.0.1",
            "192.168.1.1",
            "169.253.255.255",
            "169.255.0.0",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "2001:db8::1",
            "2001:db8::169.254.169.254",
            "fc00::1",
            "fd00::1",
            "fec0::1",
            "64:ff9b::93.184.216.34",
            "64:ff9b:1::93.184.216.34",
            "64:ff9b:1:5db8:d8:2200::",
            "2002:5db8:d822::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        ] {
            assert!(may_be_led_to(text.parse().unwrap()), "{text}");
        }
    }
}
