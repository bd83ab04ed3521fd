//! Operators as they are written, told apart by what stands on their sides.

use promql_parser::parser::token::{
    T_ADD, T_ATAN2, T_DIV, T_EQLC, T_GTE, T_GTR, T_LAND, T_LOR, T_LSS, T_LTE, T_LUNLESS, T_MOD, T_MUL, T_NEQ,
    T_POW, T_SUB, TokenId,
};
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{BinaryExpr, Expr, VectorMatchCardinality, VectorMatchFillValues};

use super::read::{Reader, invalid, label_choice, names};
use super::{
    Cardinality, Combined, ComparisonResult, ExpressionError, LabelChoice, Left, Matched, Operator, Scalar,
    SetOperator, Unsupported, Vector, WithScalar,
};

impl Reader {
    pub(super) fn scalar_binary(&mut self, binary: &BinaryExpr) -> Result<Scalar, ExpressionError> {
        let operator = operator(binary)?;
        let left = Box::new(self.scalar(&binary.lhs)?);
        let right = Box::new(self.scalar(&binary.rhs)?);
        Ok(Scalar::Binary(operator, left, right))
    }

    pub(super) fn vector_binary(&mut self, binary: &BinaryExpr) -> Result<Vector, ExpressionError> {
        let is_scalar = |side: &Expr| side.value_type() == ValueType::Scalar;
        match (is_scalar(&binary.lhs), is_scalar(&binary.rhs)) {
            (true, _) => self.with_scalar(binary, &binary.rhs, &binary.lhs, Left::Scalar),
            (_, true) => self.with_scalar(binary, &binary.lhs, &binary.rhs, Left::Vector),
            _ => match set_operator(binary.op.id()) {
                Some(operator) => self.combined(binary, operator),
                None => self.matched(binary),
            },
        }
    }

    fn with_scalar(
        &mut self,
        binary: &BinaryExpr,
        vector: &Expr,
        scalar: &Expr,
        left: Left,
    ) -> Result<Vector, ExpressionError> {
        Ok(Vector::WithScalar(Box::new(WithScalar {
            operator: operator(binary)?,
            vector: self.vector(vector)?,
            scalar: self.scalar(scalar)?,
            left,
            result: result(binary),
        })))
    }

    fn combined(&mut self, binary: &BinaryExpr, operator: SetOperator) -> Result<Vector, ExpressionError> {
        Ok(Vector::Combined(Box::new(Combined {
            operator,
            left: self.vector(&binary.lhs)?,
            right: self.vector(&binary.rhs)?,
            on: on(binary)?,
        })))
    }

    fn matched(&mut self, binary: &BinaryExpr) -> Result<Vector, ExpressionError> {
        let modifier = binary.modifier.as_ref();
        let cardinality = match modifier.map(|modifier| &modifier.card) {
            None | Some(VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany) => {
                Cardinality::OneToOne
            }
            Some(VectorMatchCardinality::ManyToOne(labels)) => Cardinality::ManyToOne(names(labels)),
            Some(VectorMatchCardinality::OneToMany(labels)) => Cardinality::OneToMany(names(labels)),
        };
        Ok(Vector::Matched(Box::new(Matched {
            operator: operator(binary)?,
            left: self.vector(&binary.lhs)?,
            right: self.vector(&binary.rhs)?,
            on: on(binary)?,
            cardinality,
            result: result(binary),
        })))
    }
}

fn on(binary: &BinaryExpr) -> Result<LabelChoice, Unsupported> {
    let Some(modifier) = &binary.modifier else {
        return Ok(LabelChoice::AllBut(Vec::new()));
    };
    if modifier.fill_values != VectorMatchFillValues::default() {
        return Err(Unsupported::Fill);
    }
    Ok(match &modifier.matching {
        None => LabelChoice::AllBut(Vec::new()),
        Some(matching) => label_choice(matching),
    })
}

fn result(binary: &BinaryExpr) -> ComparisonResult {
    match binary.return_bool() {
        true => ComparisonResult::Bool,
        false => ComparisonResult::Kept,
    }
}

fn set_operator(token: TokenId) -> Option<SetOperator> {
    match token {
        T_LAND => Some(SetOperator::And),
        T_LOR => Some(SetOperator::Or),
        T_LUNLESS => Some(SetOperator::Unless),
        _ => None,
    }
}

fn operator(binary: &BinaryExpr) -> Result<Operator, ExpressionError> {
    Ok(match binary.op.id() {
        T_ADD => Operator::Add,
        T_SUB => Operator::Subtract,
        T_MUL => Operator::Multiply,
        T_DIV => Operator::Divide,
        T_MOD => Operator::Modulo,
        T_POW => Operator::Power,
        T_ATAN2 => Operator::Atan2,
        T_EQLC => Operator::Equal,
        T_NEQ => Operator::NotEqual,
        T_GTR => Operator::Greater,
        T_LSS => Operator::Less,
        T_GTE => Operator::GreaterOrEqual,
        T_LTE => Operator::LessOrEqual,
        _ => {
            let whole = Expr::Binary(binary.clone());
            return Err(invalid(
                &whole,
                "the operator does not fit what stands on its sides",
            ));
        }
    })
}
