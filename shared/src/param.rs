//! Parameters of a pipeline: what may be given to a run, and which values are allowed.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ParamType {
    String,
    Int,
    Float,
    Bool,
    Choice,
}

impl ParamType {
    pub const ALL: [Self; 5] = [Self::String, Self::Int, Self::Float, Self::Bool, Self::Choice];

    /// The word used in the configuration and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Choice => "choice",
        }
    }
}

/// One parameter of a pipeline. A step finds its value as `PARAM_<NAME>`, in capitals.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParamDef {
    pub name: String,
    pub r#type: ParamType,
    pub description: Option<String>,
    /// Has to be given; never together with a default.
    pub required: bool,
    /// Text as a step would get it.
    pub default: Option<String>,
    /// Regular expression that the whole value has to match; of a `string` only.
    pub pattern: Option<String>,
    /// Of a `choice` only.
    pub choices: Vec<String>,
}
