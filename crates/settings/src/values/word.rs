//! Texts of which only a few are allowed.

/// Defines a type for texts of which only the listed ones are allowed; what is said of another
/// text is upstream's. The empty value means "not set".
#[macro_export]
macro_rules! word {
    ($(#[$meta:meta])* pub struct $name:ident: $go_type:literal { $($word:literal),* $(,)? } else |$text:ident| $message:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $name(pub String);

        impl $name {
            pub const ALLOWED: &[&str] = &[$($word),*];

            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> $name {
                $name(word.to_owned())
            }
        }

        impl $crate::decode::Setting for $name {
            const GO_TYPE: &'static str = $go_type;

            fn decode(
                node: &$crate::yaml::Node,
                decoder: &mut $crate::decode::Decoder,
            ) -> Result<Option<Self>, $crate::decode::Broken> {
                let Some($text) = <String as $crate::decode::Setting>::decode(node, decoder)? else {
                    return Ok(None);
                };
                if !Self::ALLOWED.contains(&$text.as_str()) {
                    return Err($message.into());
                }
                Ok(Some($name($text)))
            }

            fn encode(&self, _: $crate::decode::Style) -> $crate::yaml::Yaml {
                $crate::yaml::Yaml::Text(self.0.clone())
            }
        }
    };
}
