//! What did the user write? YAML ⇄ typed settings, with the line and the key of every mistake.
//!
//! Knows neither files nor what any section means: a component declares its own section with
//! [`record!`], and `config` puts the sections together. Start at [`decode`].

pub mod decode;
pub mod http;
pub mod values;
pub mod yaml;
