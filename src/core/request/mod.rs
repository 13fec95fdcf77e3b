//! Step 2: the request as the core sees it.

pub mod cookie;
pub mod forwarded;
pub mod header_name;
pub mod method;
pub mod origin;
pub mod parameter_name;
pub mod path;
pub mod rewritten;
pub mod source_range;
pub mod upgrade;
pub mod uri;
pub mod view;

pub use view::{HeaderNames, RecordedRequest, RequestView};
