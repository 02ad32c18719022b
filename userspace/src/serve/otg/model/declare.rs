//! How objects and choices of the schema are declared.

/// Objects whose members may all be left out.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $of:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, ::serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "the names of the schema")]
        pub struct $name { $(pub $field: Option<$of>,)* }
    )* };
}

/// Words of which one is given.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ::serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "the names of the schema")]
        pub enum $name { $($variant,)* }
    )* };
}
