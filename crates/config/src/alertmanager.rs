//! What `alertmanager.yml` means.
//!
//! [`File`] is the file as written, checked and with its defaults filled in; [`Config`] knows how
//! it is meant: routes, rules and intervals as `alertmanager` has them. Start at [`load`].

mod features;
mod file;
mod inhibit;
mod interval;
mod load;
mod matchers;
mod place;
mod recorder;
mod route;

pub use features::Features;
pub use file::File;
pub use inhibit::InhibitRule;
pub use interval::{Interval, NamedInterval};
pub use load::{Config, Error, load, parse};
pub use matchers::{MatchRegexps, Matchers};
pub use place::Placed;
pub use recorder::{EventRecorder, FileOutput, WebhookOutput};
pub use route::Route;

#[cfg(test)]
mod tests;
