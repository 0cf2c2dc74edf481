use crate::Error;

/// What a rule does with a label set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Writes the expanded replacement to the target label, if the regex matches.
    Replace,
    /// Drops the set unless the regex matches.
    Keep,
    /// Drops the set if the regex matches.
    Drop,
    /// Drops the set unless the joined value is the target label's.
    KeepEqual,
    /// Drops the set if the joined value is the target label's.
    DropEqual,
    /// Writes the hash of the joined value, modulo `modulus`, to the target label.
    HashMod,
    /// Copies labels whose name matches to the expanded replacement as a name.
    LabelMap,
    /// Removes labels whose name matches.
    LabelDrop,
    /// Removes labels whose name does not match.
    LabelKeep,
    Lowercase,
    Uppercase,
}

const NAMES: [(&str, Action); 11] = [
    ("replace", Action::Replace),
    ("keep", Action::Keep),
    ("drop", Action::Drop),
    ("keepequal", Action::KeepEqual),
    ("dropequal", Action::DropEqual),
    ("hashmod", Action::HashMod),
    ("labelmap", Action::LabelMap),
    ("labeldrop", Action::LabelDrop),
    ("labelkeep", Action::LabelKeep),
    ("lowercase", Action::Lowercase),
    ("uppercase", Action::Uppercase),
];

impl Action {
    /// The action of that name, in any case.
    pub fn parse(name: &str) -> Result<Action, Error> {
        if name.is_empty() {
            return Err(Error::ActionMissing);
        }
        let known = NAMES.iter().find(|(known, _)| *known == name.to_lowercase());
        known.map(|(_, action)| *action).ok_or_else(|| Error::ActionUnknown(name.to_owned()))
    }

    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }
}
