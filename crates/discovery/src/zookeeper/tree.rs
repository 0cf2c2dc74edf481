//! What is known of the trees below some nodes. After an event only what changed is read again.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    connection::Connection,
    message::{Event, Kind},
};

/// Larger trees are no lists of targets.
const NODES_MAX: usize = 1_000_000;

pub(super) struct Tree {
    roots: BTreeSet<String>,
    nodes: BTreeMap<String, Node>,
}

struct Node {
    data: Vec<u8>,
    /// Names.
    children: BTreeSet<String>,
}

impl Tree {
    pub(super) fn new(roots: &[String]) -> Tree {
        Tree { roots: roots.iter().cloned().collect(), nodes: BTreeMap::new() }
    }

    /// All nodes with their data.
    pub(super) fn data(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node.data.as_slice()))
    }

    /// Reads a node and all that is below it, and watches all of it.
    pub(super) async fn read(
        &mut self,
        connection: &mut Connection,
        path: &str,
    ) -> Result<(), String> {
        let mut unread = vec![path.to_owned()];
        while let Some(path) = unread.pop() {
            let data = connection.data(&path).await?;
            let children = match &data {
                Some(_) => connection.children(&path).await?,
                None => None,
            };
            let (Some(data), Some(children)) = (data, children) else {
                self.remove(&path);
                // A root may come (again); others are seen by their parents.
                if self.roots.contains(&path) && connection.exists(&path).await? {
                    unread.push(path);
                }
                continue;
            };
            unread.extend(children.iter().map(|name| below(&path, name)));
            let children = children.into_iter().collect();
            self.nodes.insert(path, Node { data, children });
            if self.nodes.len() > NODES_MAX {
                return Err(format!("more than {NODES_MAX} nodes"));
            }
        }
        Ok(())
    }

    /// Reads what an event says has changed.
    pub(super) async fn follow(
        &mut self,
        connection: &mut Connection,
        event: Event,
    ) -> Result<(), String> {
        let Event { path, kind } = event;
        match kind {
            Kind::Created => self.read(connection, &path).await,
            Kind::Deleted if self.roots.contains(&path) => self.read(connection, &path).await,
            Kind::Deleted => {
                self.remove(&path);
                Ok(())
            }
            Kind::Data => {
                if let Some(data) = connection.data(&path).await?
                    && let Some(node) = self.nodes.get_mut(&path)
                {
                    node.data = data;
                }
                Ok(())
            }
            Kind::Children => self.follow_children(connection, &path).await,
        }
    }

    async fn follow_children(
        &mut self,
        connection: &mut Connection,
        path: &str,
    ) -> Result<(), String> {
        let Some(children) = connection.children(path).await? else { return Ok(()) };
        let children: BTreeSet<String> = children.into_iter().collect();
        let Some(node) = self.nodes.get_mut(path) else { return Ok(()) };
        let before = std::mem::replace(&mut node.children, children.clone());
        for gone in before.difference(&children) {
            self.remove(&below(path, gone));
        }
        for new in children.difference(&before) {
            self.read(connection, &below(path, new)).await?;
        }
        Ok(())
    }

    /// Forgets a node and all that is below it.
    fn remove(&mut self, path: &str) {
        let prefix = below(path, "");
        self.nodes.retain(|known, _| known != path && !known.starts_with(&prefix));
    }
}

fn below(path: &str, name: &str) -> String {
    format!("{}/{name}", path.trim_end_matches('/'))
}
