mod answers;
mod jira;
mod own;
mod payload;
mod requests;
mod sections;
mod service;

pub(crate) use requests::{entry, notification};
