//! Rule groups page by page.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{Error, Form, Group, Result};
use crate::prometheus::params::parse_int;

/// Which groups are wanted: so many, from the one with this token on.
pub(super) struct Page {
    n_groups: Option<usize>,
    token: String,
}

impl Page {
    pub(super) fn parse(form: &Form) -> Result<Page> {
        let (limit, token) = (form.first("group_limit"), form.first("group_next_token"));
        if limit.is_empty() && !token.is_empty() {
            let reason = "group_limit needs to be present in order to paginate over the groups";
            return Err(Error::bad_parameter("group_next_token", reason));
        }
        let n_groups = match limit {
            "" => None,
            text => {
                let limit = parse_int(text).map_err(|reason| {
                    let reason = reason.replacen("Atoi", "ParseInt", 1);
                    let reason = format!("group_limit needs to be a valid number: {reason}");
                    Error::bad_parameter("group_limit", reason)
                })?;
                let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
                Some(limit.ok_or_else(|| {
                    let reason = "group_limit needs to be greater than 0";
                    Error::bad_parameter("group_limit", reason)
                })?)
            }
        };
        Ok(Page { n_groups, token: token.to_owned() })
    }

    /// What `select` makes of the groups of this page, and the token of the next one.
    pub(super) fn cut<'g, T>(
        &self,
        groups: impl Iterator<Item = &'g Group>,
        mut select: impl FnMut(&'g Group) -> Option<T>,
    ) -> Result<(Vec<T>, Option<String>)> {
        let mut page = Vec::new();
        let mut is_before = !self.token.is_empty();
        for group in groups {
            if is_before && token(group) == self.token {
                is_before = false;
            }
            if is_before {
                continue;
            }
            let Some(selected) = select(group) else { continue };
            if self.n_groups.is_some_and(|n_groups| page.len() == n_groups) {
                return Ok((page, Some(token(group))));
            }
            page.push(selected);
        }
        if is_before {
            let reason =
                format!("invalid group_next_token '{}'. were rule groups changed?", self.token);
            return Err(Error::bad_parameter("group_next_token", reason));
        }
        Ok((page, None))
    }
}

fn token(group: &Group) -> String {
    let mut token = String::new();
    for byte in Sha256::digest(format!("{};{}", group.file, group.name)) {
        write!(token, "{byte:02x}").expect("writing to a string cannot fail");
    }
    token
}
