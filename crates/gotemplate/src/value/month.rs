use super::{Member, Object, Shape, Value};
use crate::Func;

/// A month or a day of the week: a number with a name.
pub(crate) struct Named {
    pub(crate) type_name: &'static str,
    pub(crate) number: i64,
    pub(crate) text: &'static str,
}

impl Object for Named {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn member(&self, name: &str) -> Option<Member> {
        let text = self.text;
        (name == "String").then(|| Member::Method(Func::new(&[], move |_| Ok(Value::string(text)))))
    }

    fn shape(&self) -> Shape {
        Shape::Scalar(Value::Int(self.number))
    }

    fn text(&self) -> Option<String> {
        Some(self.text.to_owned())
    }
}
