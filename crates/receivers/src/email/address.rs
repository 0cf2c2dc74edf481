//! Lists of mail addresses: `Name <a@example.com>, b@example.com`.

/// The addresses without names; empty entries are skipped, as Go does.
pub(crate) fn parse_list(text: &str) -> Result<Vec<String>, String> {
    let mut addresses = Vec::new();
    for entry in split(text) {
        let entry = entry.trim();
        if !entry.is_empty() {
            addresses.push(parse(entry)?);
        }
    }
    if addresses.is_empty() {
        return Err("mail: no address".to_owned());
    }
    Ok(addresses)
}

/// At commas that are neither in quotes nor in angle brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut in_quotes, mut in_angles, mut is_escaped) = (false, false, false);
    for (idx, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_quotes => is_escaped = true,
            '"' => in_quotes = !in_quotes,
            '<' if !in_quotes => in_angles = true,
            '>' if !in_quotes => in_angles = false,
            ',' if !in_quotes && !in_angles => {
                parts.push(text.get(start..idx).unwrap_or_default());
                start = idx + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

fn parse(entry: &str) -> Result<String, String> {
    let address = match entry.rsplit_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').ok_or("mail: unclosed angle-addr")?,
        None => entry,
    };
    let Some((local, domain)) = address.rsplit_once('@') else {
        return Err("mail: missing '@' or angle-addr".to_owned());
    };
    // What the dialogue would stumble over cannot be in an address.
    let is_clean = |part: &str| !part.contains(|c: char| c.is_control() || "<> ".contains(c));
    if local.is_empty() || domain.is_empty() || !is_clean(local) || !is_clean(domain) {
        return Err("mail: no angle-addr".to_owned());
    }
    Ok(address.to_owned())
}
