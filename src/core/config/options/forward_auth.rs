//! Answering other proxies.

use crate::core::config::options::row::{rows, top, words};
use crate::core::config::options::syntax::ADDRESSES;
use crate::core::config::options::{Kind, Row, Table, Words};
use crate::core::request::forwarded::AnswerAs;

words! {
    /// `answerAs`.
    ANSWERS: AnswerAs = {
        "middleware" => AnswerAs::Middleware,
        "forwardAuth" => AnswerAs::ForwardAuth,
    };
}

rows! {
    "Answering other proxies";

    /// `forwardAuth`: other proxies ask whether a request may pass, and get the identity in the answer.
    ANSWER_AS = top("answerAs", Kind::Word(ANSWERS.names, 0));

    /// Who may ask: addresses and ranges (`10.1.0.0/16`) of the connection as Traefik sees it.
    TRUSTED_PEERS = top("trustedPeers", Kind::List).like(&ADDRESSES).otherwise("`127.0.0.0/8`, `::1`");
}
