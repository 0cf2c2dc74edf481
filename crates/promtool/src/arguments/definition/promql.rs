//! `promql …`.

use clap::{Args, Subcommand};
use model::MatchKind;

use super::Command;

#[derive(Debug, Subcommand)]
pub(crate) enum Promql {
    /// Format PromQL query to pretty printed form
    Format(Format),
    /// Edit label matchers contained within an existing PromQL query
    LabelMatchers {
        #[command(subcommand)]
        command: LabelMatchers,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelMatchers {
    /// Set a label matcher in the query
    Set(SetMatchers),
    /// Delete a label from the query
    Delete(DeleteMatchers),
}

#[derive(Debug, Args)]
pub(crate) struct Format {
    /// PromQL query
    pub(crate) query: String,
}

#[derive(Debug, Args)]
pub(crate) struct SetMatchers {
    /// Type of the label matcher to set: =, !=, =~ or !~
    #[arg(short = 't', long = "label-matcher-type", default_value = "=", value_parser = parse_kind)]
    pub(crate) kind: MatchKind,
    /// PromQL query
    pub(crate) query: String,
    /// Name of the label matcher to set
    pub(crate) name: String,
    /// Value of the label matcher to set
    pub(crate) value: String,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteMatchers {
    /// PromQL query
    pub(crate) query: String,
    /// Name of the label to delete
    pub(crate) name: String,
}

impl Promql {
    pub(super) fn meaning(self) -> Command {
        match self {
            Promql::Format(format) => Command::PromqlFormat(format),
            Promql::LabelMatchers { command: LabelMatchers::Set(set) } => {
                Command::LabelMatchersSet(set)
            }
            Promql::LabelMatchers { command: LabelMatchers::Delete(delete) } => {
                Command::LabelMatchersDelete(delete)
            }
        }
    }
}

fn parse_kind(text: &str) -> Result<MatchKind, String> {
    let kinds = [MatchKind::Equal, MatchKind::NotEqual, MatchKind::Regex, MatchKind::NotRegex];
    let kind = kinds.into_iter().find(|kind| kind.as_str() == text);
    kind.ok_or_else(|| format!("enum value must be one of =,!=,=~,!~, got '{text}'"))
}
