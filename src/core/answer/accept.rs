//! The answer to a proxy that asks (`answerAs: forwardAuth`): the request may pass, and this is who sends it.

use std::rc::Rc;

use crate::core::answer::forward::{Forward, Identity};
use crate::core::answer::managed::SetHeader;
use crate::core::answer::verdict::Label;
use crate::core::refusal::Refusal;

/// A 200 without a body. All of its headers come from here: what the client sent under these names is in none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept {
    /// What became of the request that is asked about.
    pub label: Label,
    /// Who sends it; nobody in the modes that let it pass, and for a bypass.
    pub identity: Rc<Identity>,
    /// Why it would be refused, were it not for the mode: for the log.
    pub refused: Option<Refusal>,
}

impl Accept {
    /// What `forward` says to a proxy, which passes the request on as it is.
    ///
    /// # Errors
    /// `change_not_possible` if the upstream must not get it unchanged: a cookie has other copies beside that of the token.
    pub fn new(forward: Forward) -> Result<Self, Refusal> {
        // `Expect` goes for the sake of a response of the upstream that the host would touch.
        let mut removed = forward.remove.iter().filter(|name| !name.eq_ignore_ascii_case("expect"));
        if removed.next().is_some() || !forward.rewritten.is_empty() || forward.uri.is_some() {
            return Err(Refusal::ChangeNotPossible);
        }
        let Forward { label, identity, refused, .. } = forward;
        Ok(Self { label, identity, refused })
    }

    /// The headers of the answer that the proxy copies to the request.
    pub fn headers(&self) -> impl Iterator<Item = &SetHeader> {
        self.identity.headers().iter().chain(&self.label.request)
    }
}

#[cfg(test)]
mod tests {
    use super::Accept;
    use crate::core::answer::forward::Forward;
    use crate::core::bypass::Body;
    use crate::core::refusal::Refusal;
    use crate::core::request::rewritten::{Rewritten, RewrittenHeader};

    #[test]
    fn what_would_have_to_be_changed_is_refused() {
        let cookie = || Rewritten { header: RewrittenHeader::Cookie, value: b"a=b".to_vec() };
        for (forward, expected) in [
            (Forward::default(), true),
            (Forward { body: Body::Drop, ..Forward::default() }, true),
            (Forward { remove: vec!["Expect".into()], ..Forward::default() }, true),
            (
                Forward { response: vec![("Cache-Control".into(), "private".into())], ..Forward::default() },
                true,
            ),
            (Forward { remove: vec!["Cookie".into()], ..Forward::default() }, false),
            (Forward { rewritten: vec![cookie()], ..Forward::default() }, false),
            (Forward { uri: Some(b"/".to_vec()), ..Forward::default() }, false),
        ] {
            let outcome = Accept::new(forward.clone()).map(|_| ());
            assert_eq!(
                outcome,
                if expected { Ok(()) } else { Err(Refusal::ChangeNotPossible) },
                "{forward:?}"
            );
        }
    }
}
