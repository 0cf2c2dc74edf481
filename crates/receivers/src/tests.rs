mod jira;
mod requests;
mod sections;
mod service;

pub(crate) use requests::{entry, notification};
