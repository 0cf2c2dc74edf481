//! Is this what was looked for?

use super::score::{jaro_winkler, subsequence, substring};

/// Accepts what one of its terms accepts, or everything without terms.
pub(super) struct Filter {
    terms: Vec<String>,
    likeness: Likeness,
    case_sensitive: bool,
}

/// How much a text may differ from a term; thresholds are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Likeness {
    /// It has the term's letters in their order.
    Subsequence { threshold: f64 },
    /// It has the term in it, or is like it; a threshold of 0 leaves only the first.
    JaroWinkler { threshold: f64 },
}

impl Filter {
    pub(super) fn new(terms: &[&str], likeness: Likeness, case_sensitive: bool) -> Filter {
        let terms = terms.iter().filter(|term| !term.is_empty());
        let fold = |term: &&str| match case_sensitive {
            true => (*term).to_owned(),
            false => term.to_lowercase(),
        };
        Filter { terms: terms.map(fold).collect(), likeness, case_sensitive }
    }

    /// How well `text` is what the best of the terms says; nothing if no term accepts it.
    pub(super) fn score(&self, text: &str) -> Option<f64> {
        if self.terms.is_empty() {
            return Some(1.0);
        }
        let folded;
        let text = match self.case_sensitive {
            true => text,
            false => {
                folded = text.to_lowercase();
                folded.as_str()
            }
        };
        let scores = self.terms.iter().filter_map(|term| self.likeness.score(term, text));
        scores.reduce(f64::max)
    }
}

impl Likeness {
    fn score(self, term: &str, text: &str) -> Option<f64> {
        match self {
            Likeness::Subsequence { .. } if text.starts_with(term) => Some(1.0),
            Likeness::Subsequence { threshold } => {
                Some(subsequence(term, text)).filter(|score| *score > 0.0 && *score >= threshold)
            }
            Likeness::JaroWinkler { threshold } => {
                let is_like = |score: &f64| threshold > 0.0 && *score >= threshold;
                substring(term, text).or_else(|| Some(jaro_winkler(term, text)).filter(is_like))
            }
        }
    }
}
