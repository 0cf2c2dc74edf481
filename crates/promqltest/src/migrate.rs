//! From `eval_fail` and its like to `expect` lines.

/// What becomes of the old commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The same conditions as before.
    Basic,
    /// Annotations that are not expected are forbidden.
    Strict,
    /// Annotations are not looked at.
    Tolerant,
}

/// Rewrites the deprecated commands of a script; everything else stays as it is.
pub fn migrate(script: &str, mode: Mode) -> String {
    let lines: Vec<&str> = script.split('\n').collect();
    let mut out: Vec<String> = Vec::with_capacity(lines.len());
    let mut idx = 0;
    while let Some(line) = lines.get(idx) {
        idx += 1;
        let Some((kind, eval)) = legacy(line) else {
            out.push((*line).to_owned());
            continue;
        };
        out.push(eval);
        let rest = &lines[idx..];
        let n_block = rest.iter().position(|line| line.trim().is_empty()).unwrap_or(rest.len());
        let block = &rest[..n_block];
        idx += n_block;
        let indent = block.first().map_or("  ", |line| indentation(line));
        let expects = expects(kind, block, mode);
        out.extend(expects.into_iter().map(|expect| format!("{indent}expect {expect}")));
        let kept = block.iter().filter(|line| failure(line).is_none());
        out.extend(kept.map(|line| (*line).to_owned()));
    }
    out.join("\n")
}

/// `fail` of `eval_fail …`, and the command without it.
fn legacy(line: &str) -> Option<(&'static str, String)> {
    let command = line.trim_start();
    ["fail", "warn", "info", "ordered"].into_iter().find_map(|kind| {
        let rest = command.strip_prefix("eval_")?.strip_prefix(kind)?;
        rest.starts_with(char::is_whitespace)
            .then(|| (kind, format!("{}eval{rest}", indentation(line))))
    })
}

fn expects(kind: &str, block: &[&str], mode: Mode) -> Vec<String> {
    let failure = block.iter().find_map(|line| failure(line)).unwrap_or_default();
    let main = format!("{kind}{failure}");
    let others: &[&str] = match (mode, kind) {
        (Mode::Tolerant, "warn" | "info") => return Vec::new(),
        (Mode::Basic | Mode::Tolerant, _) => &[],
        (Mode::Strict, "warn") => &["no_info"],
        (Mode::Strict, "info") => &["no_warn"],
        (Mode::Strict, _) => &["no_warn", "no_info"],
    };
    std::iter::once(main).chain(others.iter().map(|other| (*other).to_owned())).collect()
}

/// ` msg:…` or ` regex:…` of a line that says how the query must fail.
fn failure(line: &str) -> Option<String> {
    let line = line.trim();
    let message = line.strip_prefix("expected_fail_message").map(|text| ("msg", text));
    let (form, text) = message
        .or_else(|| line.strip_prefix("expected_fail_regexp").map(|text| ("regex", text)))?;
    Some(format!(" {form}:{}", text.trim()))
}

fn indentation(line: &str) -> &str {
    let text = line.trim_start();
    line.strip_suffix(text).unwrap_or_default()
}
