//! Conditions of Falco rules as trees.

use crate::source::Span;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// All of these.
    And(Vec<Expression>),
    /// Any of these.
    Or(Vec<Expression>),
    /// Not this.
    Not(Box<Expression>),
    /// A comparison.
    Check(Check),
    /// The condition of a macro, before it is written out.
    Macro(String, Span),
}

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What is compared.
    pub left: Operand,
    /// How.
    pub operator: Operator,
    /// With what.
    pub right: Right,
    /// Place in the text of the condition, in bytes.
    pub span: Span,
}

/// A value that an event has or gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// `proc.aname[2]`.
    Field {
        /// The name without the argument.
        name: String,
        /// The argument.
        argument: Option<String>,
    },
    /// `tolower(proc.name)`.
    Call(Transformer, Vec<Operand>),
    /// A text or number among the arguments of a transformer.
    Text(String),
    /// A list among the arguments of a transformer.
    List(Vec<Operand>),
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Right {
    /// Nothing: `exists`.
    Nothing,
    /// A text or number.
    Value(Value),
    /// Texts or numbers.
    List(Quantifier, Vec<Value>),
    /// Another value of the event: `val(proc.pname)`, `tolower(…)`.
    Operand(Operand),
}

/// A text or number of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The text after escapes.
    pub text: String,
    /// Whether it stood there without quotation marks, so that it may be the name of a list.
    pub bare: bool,
}

/// How many of several values must fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// What the operator itself says: `in (…)`.
    Operator,
    /// Exactly one.
    OneOf,
    /// At least one.
    AnyOf,
    /// All.
    AllOf,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "Falco's own words")]
pub enum Operator {
    Exists,
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    Contains,
    IContains,
    BContains,
    StartsWith,
    BStartsWith,
    EndsWith,
    Glob,
    IGlob,
    Regex,
    In,
    Intersects,
    PMatch,
}

/// What makes a value of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transformer {
    /// ASCII letters in lower case.
    ToLower,
    /// ASCII letters in upper case.
    ToUpper,
    /// The text that is encoded in Base64.
    B64,
    /// What follows the last `/`.
    Basename,
    /// Bytes of a text, members of a list.
    Len,
    /// A list as one text, with a separator.
    Join,
    /// Texts one after the other.
    Concat,
    /// Options of a command line and their arguments.
    Getopt,
}

impl Operator {
    /// All.
    pub const ALL: [Self; 19] = [
        Self::Exists,
        Self::Eq,
        Self::Neq,
        Self::Lt,
        Self::Lte,
        Self::Gt,
        Self::Gte,
        Self::Contains,
        Self::IContains,
        Self::BContains,
        Self::StartsWith,
        Self::BStartsWith,
        Self::EndsWith,
        Self::Glob,
        Self::IGlob,
        Self::Regex,
        Self::In,
        Self::Intersects,
        Self::PMatch,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Eq => "=",
            Self::Neq => "!=",
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::Contains => "contains",
            Self::IContains => "icontains",
            Self::BContains => "bcontains",
            Self::StartsWith => "startswith",
            Self::BStartsWith => "bstartswith",
            Self::EndsWith => "endswith",
            Self::Glob => "glob",
            Self::IGlob => "iglob",
            Self::Regex => "regex",
            Self::In => "in",
            Self::Intersects => "intersects",
            Self::PMatch => "pmatch",
        }
    }

    /// The operator of this word.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = if name == "==" { "=" } else { name };
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Whether it compares with a list.
    pub fn takes_list(self) -> bool {
        matches!(self, Self::In | Self::Intersects | Self::PMatch)
    }

    /// Whether it compares numbers only.
    pub fn takes_number(self) -> bool {
        matches!(self, Self::Lt | Self::Lte | Self::Gt | Self::Gte)
    }

    /// Whether `oneof`, `anyof` and `allof` may follow.
    pub fn takes_quantifier(self) -> bool {
        self != Self::Exists && !self.takes_list() && !self.takes_number()
    }
}

impl Quantifier {
    /// The modifier of this word.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "oneof" => Some(Self::OneOf),
            "anyof" => Some(Self::AnyOf),
            "allof" => Some(Self::AllOf),
            _ => None,
        }
    }
}

impl Transformer {
    /// The transformer of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "tolower" => Self::ToLower,
            "toupper" => Self::ToUpper,
            "b64" => Self::B64,
            "basename" => Self::Basename,
            "len" => Self::Len,
            "join" => Self::Join,
            "concat" => Self::Concat,
            "getopt" => Self::Getopt,
            _ => return None,
        })
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToLower => "tolower",
            Self::ToUpper => "toupper",
            Self::B64 => "b64",
            Self::Basename => "basename",
            Self::Len => "len",
            Self::Join => "join",
            Self::Concat => "concat",
            Self::Getopt => "getopt",
        }
    }
}

impl Operand {
    /// Calls `see` with the name and argument of each field in it.
    pub fn for_each_field(&self, see: &mut dyn FnMut(&str, Option<&str>)) {
        match self {
            Self::Field { name, argument } => see(name, argument.as_deref()),
            Self::Call(_, parts) | Self::List(parts) => {
                parts.iter().for_each(|part| part.for_each_field(see));
            }
            Self::Text(_) => {}
        }
    }
}

impl Expression {
    /// How many checks it has.
    pub fn checks(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::checks).sum(),
            Self::Not(part) => part.checks(),
            Self::Check(_) | Self::Macro(..) => 1,
        }
    }

    /// Calls `see` with each check.
    pub fn for_each_check(&self, see: &mut dyn FnMut(&Check)) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.for_each_check(see)),
            Self::Not(part) => part.for_each_check(see),
            Self::Check(check) => see(check),
            Self::Macro(..) => {}
        }
    }

    /// Calls `see` with the name and argument of each field, on both sides of checks.
    pub fn for_each_field(&self, see: &mut dyn FnMut(&str, Option<&str>)) {
        self.for_each_check(&mut |check| {
            check.left.for_each_field(see);
            if let Right::Operand(operand) = &check.right {
                operand.for_each_field(see);
            }
        });
    }
}

/// A condition as text of the filter language.
pub fn text(tree: &Expression) -> String {
    let joined = |parts: &[Expression], word: &str| {
        let parts: Vec<String> = parts
            .iter()
            .map(|part| match part {
                Expression::And(_) | Expression::Or(_) => format!("({})", text(part)),
                part => text(part),
            })
            .collect();
        parts.join(word)
    };
    match tree {
        Expression::And(parts) => joined(parts, " and "),
        Expression::Or(parts) => joined(parts, " or "),
        Expression::Not(part) => match &**part {
            Expression::Check(_) | Expression::Macro(..) => format!("not {}", text(part)),
            part => format!("not ({})", text(part)),
        },
        Expression::Macro(name, _) => name.clone(),
        Expression::Check(check) => {
            let left = of_operand(&check.left, false);
            let operator = check.operator.as_str();
            match &check.right {
                Right::Nothing => format!("{left} {operator}"),
                Right::Value(value) => format!("{left} {operator} {}", of_value(value)),
                Right::Operand(operand) => format!("{left} {operator} {}", of_operand(operand, true)),
                Right::List(quantifier, values) => {
                    let quantifier = match quantifier {
                        Quantifier::Operator => "",
                        Quantifier::OneOf => "oneof ",
                        Quantifier::AnyOf => "anyof ",
                        Quantifier::AllOf => "allof ",
                    };
                    let values: Vec<String> = values.iter().map(of_value).collect();
                    format!("{left} {operator} {quantifier}({})", values.join(", "))
                }
            }
        }
    }
}

fn of_operand(operand: &Operand, is_right: bool) -> String {
    let list = |parts: &[Operand]| {
        let parts: Vec<String> = parts.iter().map(|part| of_operand(part, false)).collect();
        parts.join(", ")
    };
    match operand {
        Operand::Field { name, argument } => {
            let field = match argument {
                Some(argument) => format!("{name}[{argument}]"),
                None => name.clone(),
            };
            if is_right { format!("val({field})") } else { field }
        }
        Operand::Text(text) => of_value(&Value { text: text.clone(), bare: false }),
        Operand::Call(transformer, parts) => format!("{}({})", transformer.as_str(), list(parts)),
        Operand::List(parts) => format!("({})", list(parts)),
    }
}

fn of_value(value: &Value) -> String {
    let is_plain = |letter: char| !letter.is_whitespace() && !"()\"',=\\".contains(letter);
    if !value.text.is_empty() && value.text.chars().all(is_plain) {
        return value.text.clone();
    }
    format!("\"{}\"", value.text.replace('\\', "\\\\").replace('"', "\\\""))
}
