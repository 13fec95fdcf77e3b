//! What well-known lists of bad certificates have (badssl.com, x509-limbo): usages, dates, lengths and names at every place of
//! a chain. Rows of `tls`.

use crate::tls::Taken::{Both, GoAlone, Nobody};
use crate::tls::{AUTHORITY, ENDED, LEAF, MIDDLE, NOT_BEGUN, ROOT, Taken, Wanted, Workshop};

/// A server whose chain has one certificate in the middle, which has these properties.
fn below(workshop: &mut Workshop, name: &str, middle: &Wanted<'_>, taken: Taken) {
    let above = format!("{name}-above");
    workshop.issue(&above, middle);
    workshop.issue(name, &Wanted { issuer: Some((&above, middle.key)), ..LEAF });
    workshop.serve(name, "root", (name, "p256"), &["-cert_chain", &above], taken);
}

/// Certificates in the middle.
fn middles(workshop: &mut Workshop) {
    let with = |extensions| Wanted { extensions, ..MIDDLE };
    for (name, middle, taken) in [
        ("above-expired", Wanted { until: ENDED, ..MIDDLE }, Nobody("has expired")),
        ("above-early", Wanted { from: NOT_BEGUN, ..MIDDLE }, Nobody("is not valid before")),
        (
            "above-for-clients",
            with("basicConstraints=critical,CA:TRUE\nextendedKeyUsage=clientAuth"),
            Nobody("is not for servers (its extended key usage)"),
        ),
        ("above-for-servers", with("basicConstraints=critical,CA:TRUE\nextendedKeyUsage=serverAuth"), Both),
        (
            "above-that-signs-nothing",
            with("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature"),
            Nobody("is signed by no authority that is trusted here"),
        ),
        (
            "above-that-signs",
            with("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign"),
            Both,
        ),
        (
            "above-critical",
            with("basicConstraints=critical,CA:TRUE\n1.2.3.4=critical,DER:0500"),
            Nobody("a certificate has a critical extension that is not understood"),
        ),
        ("above-that-does-not-say", with("subjectKeyIdentifier=hash"), Nobody("authority")),
        ("above-sha-1", Wanted { hash: "sha1", ..MIDDLE }, Nobody("SHA-1")),
        (
            "above-names-not-critical",
            with("basicConstraints=critical,CA:TRUE\nnameConstraints=excluded;DNS:idp.test"),
            Nobody("may not certify this name (name constraints)"),
        ),
        (
            "above-names-with-a-dot",
            with("basicConstraints=critical,CA:TRUE\nnameConstraints=critical,permitted;DNS:.test"),
            Both,
        ),
        (
            "above-addresses-alone",
            with(
                "basicConstraints=critical,CA:TRUE\nnameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0",
            ),
            Both,
        ),
    ] {
        below(workshop, name, &middle, taken);
    }
    // Two with one key, of which the first has expired.
    workshop.issue("twin-old", &Wanted { until: ENDED, subject: "twin", ..MIDDLE });
    workshop.issue("twin-new", &Wanted { subject: "twin", ..MIDDLE });
    workshop.issue("twins", &Wanted { issuer: Some(("twin-new", "other")), ..LEAF });
    workshop.join("twin-both", &["twin-old", "twin-new"]);
    workshop.serve(
        "above-expired-and-renewed",
        "root",
        ("twins", "p256"),
        &["-cert_chain", "twin-both"],
        Both,
    );
    workshop.join("with-others", &["twin-old", "self", "twin-new", "root"]);
    workshop.serve("among-others", "root", ("twins", "p256"), &["-cert_chain", "with-others"], Both);
}

/// More certificates than a chain may have.
fn long_chain(workshop: &mut Workshop) {
    for (count, taken) in [
        (6, Both),
        (
            7,
            GoAlone(
                "seven are more than any authority has in between",
                "too many certificates are between it and a root",
            ),
        ),
    ] {
        let names: Vec<String> = (0..count).map(|at| format!("link-{count}-{at}")).collect();
        let mut issuer = ("root".to_owned(), "p384");
        for name in &names {
            workshop.issue(name, &Wanted { subject: name, issuer: Some((&issuer.0, issuer.1)), ..MIDDLE });
            issuer = (name.clone(), "other");
        }
        let (name, chain) = (format!("chain-of-{count}"), format!("chain-{count}"));
        workshop.issue(&name, &Wanted { issuer: Some((&issuer.0, "other")), ..LEAF });
        let upwards: Vec<&str> = names.iter().rev().map(String::as_str).collect();
        workshop.join(&chain, &upwards);
        workshop.serve(&name, "root", (&name, "p256"), &["-cert_chain", &chain], taken);
    }
}

/// Names, and who asks for which.
fn names(workshop: &mut Workshop) {
    let other = "is not for";
    for (name, names, asked, taken) in [
        ("name-in-capitals", "DNS:IDP.Test", "idp.test", Both),
        ("asked-in-capitals", "DNS:idp.test", "IDP.test", Both),
        ("wildcard-of-none", "DNS:*.idp.test", "idp.test", Nobody(other)),
        ("wildcard-of-two", "DNS:*.idp.test", "a.b.idp.test", Nobody(other)),
        ("wildcard-of-a-part", "DNS:a*.idp.test", "ab.idp.test", Nobody(other)),
        ("wildcard-in-the-middle", "DNS:a.*.test", "a.idp.test", Nobody(other)),
        ("wildcard-twice", "DNS:*.*.test", "a.idp.test", Nobody(other)),
        ("wildcard-of-all", "DNS:*", "idp.test", Nobody(other)),
        ("wildcard-of-a-punycode", "DNS:*.idp.test", "xn--bcher-kva.idp.test", Both),
        ("address", "IP:127.0.0.1", "127.0.0.1", Both),
        ("address-of-another", "IP:127.0.0.2", "127.0.0.1", Nobody(other)),
        ("address-as-a-name", "DNS:127.0.0.1", "127.0.0.1", Nobody(other)),
        ("address-in-a-wildcard", "DNS:*.0.0.1", "127.0.0.1", Nobody(other)),
        ("address-for-a-name", "IP:127.0.0.1", "idp.test", Nobody(other)),
        ("address-with-six-groups", "IP:::1", "::1", Both),
        ("uri-for-a-name", "URI:https://idp.test", "idp.test", Nobody(other)),
        ("mail-for-a-name", "email:root@idp.test", "idp.test", Nobody(other)),
    ] {
        let extensions = format!("subjectAltName={names}");
        workshop.leaf(name, &Wanted { extensions: &extensions, ..LEAF }, taken);
        workshop.asked_for(asked);
    }
    let address = Wanted { extensions: "basicConstraints=CA:FALSE", subject: "127.0.0.1", ..LEAF };
    workshop.leaf("address-as-common-name", &address, Nobody(other));
    workshop.asked_for("127.0.0.1");
}

/// Usages of the server's own.
fn usages(workshop: &mut Workshop) {
    let with = |extensions| Wanted { extensions, ..LEAF };
    for (name, wanted, taken) in [
        ("for-servers", with("subjectAltName=DNS:idp.test\nextendedKeyUsage=critical,serverAuth"), Both),
        ("for-both", with("subjectAltName=DNS:idp.test\nextendedKeyUsage=clientAuth,serverAuth"), Both),
        (
            "for-anything",
            with("subjectAltName=DNS:idp.test\nextendedKeyUsage=anyExtendedKeyUsage"),
            GoAlone(
                "whoever is for anything does not say servers",
                "is not for servers (its extended key usage)",
            ),
        ),
        (
            "for-code",
            with("subjectAltName=DNS:idp.test\nextendedKeyUsage=codeSigning"),
            Nobody("is not for servers (its extended key usage)"),
        ),
        (
            "authority-as-server",
            with("subjectAltName=DNS:idp.test\nbasicConstraints=critical,CA:TRUE"),
            GoAlone(
                "an authority's certificate is no server's",
                "is self-signed or an authority's (CA:TRUE)",
            ),
        ),
    ] {
        workshop.leaf(name, &wanted, taken);
    }
    workshop.issue("sha-1-p256", &Wanted { hash: "sha1", ..LEAF });
    workshop.serve("sha-1-p256", "root", ("sha-1-p256", "p256"), &[], Nobody("SHA-1"));
    let signs_nothing = format!("{AUTHORITY}\nkeyUsage=critical,digitalSignature");
    workshop.issue("mute-root", &Wanted { extensions: &signs_nothing, ..ROOT });
    let mute = Nobody("is signed by no authority that is trusted here");
    workshop.serve("root-that-signs-nothing", "mute-root", ("good", "p256"), &[], mute);
}

pub(crate) fn rows(workshop: &mut Workshop) {
    middles(workshop);
    long_chain(workshop);
    names(workshop);
    usages(workshop);
}
