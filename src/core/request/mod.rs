//! Step 2: the request as the core sees it.

pub mod header_name;
pub mod path;
pub mod view;

pub use view::{RecordedRequest, RequestView};
