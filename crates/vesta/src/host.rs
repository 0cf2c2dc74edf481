//! `vesta host`: metrics of this machine on `:9100`, under node_exporter's names.

mod collectors;
mod page;
#[cfg(test)]
mod tests;
