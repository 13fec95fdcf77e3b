//! Signatures of Ed25519, with points of small order and encodings that are not canonical. Its field is judged beside it.

use super::textbook::{Edwards, bytes};
use super::{Random, cases, report};
use crate::ed25519::{BasePoint, PublicKey};
use ed25519_dalek::{Signature, VerifyingKey};
use std::rc::Rc;

#[test]
fn signatures_of_ed25519_are_as_defined() {
    let (mut random, curve, base) = (Random::new(), Edwards::new(), Rc::new(BasePoint::new()));
    let (p, order) = (&curve.p, &curve.order);
    // Any point times the order: one of them has the order 8.
    let torsion = (2..50_u8)
        .filter_map(|y| curve.with_y(y.into(), false))
        .map(|point| curve.multiple(order, &point))
        .find(|point| curve.multiple(&4_u8.into(), point) != Edwards::zero())
        .unwrap();
    let torsion: Vec<_> = (0..8_u8).map(|times| curve.multiple(&times.into(), &torsion)).collect();
    let (cases, mut accepted) = (cases(8), 0);
    for first in (0..cases).step_by(16) {
        // The textbook is cheap for many.
        let several = first..cases.min(first + 16);
        let scalars = several.clone().flat_map(|_| [(); 2].map(|()| random.residue(&[order, p])));
        let scalars: Vec<_> = scalars.collect();
        let points = curve.multiples(&scalars.iter().map(|scalar| (scalar, &curve.base)).collect::<Vec<_>>());
        let signed =
            several.zip(scalars.as_chunks().0.iter().zip(points.as_chunks().0)).map(|(case, of_case)| {
                let ([secret, nonce], [key, r]) = of_case;
                let message = random.bytes(usize::try_from(case % 40).unwrap());
                // Half of the points have a part of small order, which may be all of them.
                let mut part = || {
                    torsion[if random.below(2) == 0 { 0 } else { usize::try_from(random.below(8)).unwrap() }]
                        .clone()
                };
                let (key, r) = (curve.sum(key, &part()), curve.sum(r, &part()));
                let (mut key, mut r) = (curve.encode(&key), curve.encode(&r));
                let mut s = (nonce + curve.challenge(&r, &key, &message) * secret) % order;
                match random.below(8) {
                    0 => s += order,
                    1 => s = random.number(256, &[order, p]),
                    2 => key[31] ^= 0x80,
                    3 => r[31] ^= 0x80,
                    // y near p, and above.
                    4 => {
                        r = bytes(&random.number(256, &[p, &(p + order)]), 32)
                            .into_iter()
                            .rev()
                            .collect::<Vec<_>>()
                            .try_into()
                            .unwrap()
                    }
                    _ => {}
                }
                let mut s = bytes(&s, 32);
                s.reverse();
                let signature: [u8; 64] = [&r[..], &s].concat().try_into().unwrap();
                (key, message, signature)
            });
        let signed: Vec<_> = signed.collect();
        for ((key, message, signature), expected) in signed.iter().zip(curve.verify(&signed)) {
            let ours = PublicKey::from_bytes(key).ok();
            let prepared = ours.as_ref().and_then(|key| key.prepare(&base));
            let context = || format!("key {key:02x?} message {message:02x?} signature {signature:02x?}");
            assert_eq!(ours.is_some_and(|key| key.verify(message, signature)), expected, "{}", context());
            assert_eq!(prepared.is_some_and(|key| key.verify(message, signature)), expected, "{}", context());
            let oracle = VerifyingKey::from_bytes(key)
                .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok());
            assert_eq!(oracle, expected, "{}", context());
            accepted += u64::from(expected);
        }
    }
    // Of those that were left as they are, those whose parts of small order fit.
    assert!((cases / 10..cases).contains(&accepted), "{accepted} of {cases}");
    report("signatures of Ed25519", cases);
}
