//! The one HTML page, which says what it is the page of.

use serde::Serialize;

/// What the scripts must know before they ask the first question.
#[derive(Debug, Clone, Serialize)]
pub struct Page<'a> {
    pub role: Role,
    pub title: &'a str,
    pub version: &'a str,
    /// Where the console templates are, below the route prefix, if there are any.
    pub consoles: &'a str,
}

/// Whose pages to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Server,
    /// A server that only scrapes and sends on.
    Agent,
    Alertmanager,
}

/// The HTML of every page. All addresses in it are relative to the folder that the page lies in, so
/// that it works under any prefix.
pub fn index(page: &Page<'_>) -> String {
    let settings = serde_json::to_string(page).expect("strings and names are JSON");
    super::template().replacen("SETTINGS_PLACEHOLDER", &escape(&settings), 1).replacen(
        "TITLE_PLACEHOLDER",
        &escape(page.title),
        1,
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(char),
        }
    }
    escaped
}
