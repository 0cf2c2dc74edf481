use super::{Member, Object, Shape, Value};

/// A struct of Go without methods: named fields in order.
pub struct Struct {
    pub type_name: &'static str,
    pub fields: Vec<(&'static str, Value)>,
}

impl Object for Struct {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn member(&self, name: &str) -> Option<Member> {
        let field = self.fields.iter().find(|(field, _)| *field == name);
        field.map(|(_, value)| Member::Field(value.clone()))
    }

    fn shape(&self) -> Shape {
        Shape::Struct(self.fields.clone())
    }
}
