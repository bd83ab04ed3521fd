//! Queries that are made up: of all forms that are widened, and of some that are not.

/// Makes up one query after the other, the same for the same seed.
pub(super) struct Generator(u64);

/// How the parts of a query are nested at most.
const DEPTH: usize = 3;

const INSTANT: [&str; 4] = ["depth", "limit", "odd", "depth{container=\"a\"}"];
const OVER_TIME: [&str; 7] = ["avg", "min", "max", "sum", "count", "last", "stddev"];
const OF_COUNTERS: [&str; 4] = ["rate", "increase", "irate", "resets"];
const AGGREGATIONS: [&str; 7] = ["sum", "avg", "min", "max", "count", "stddev", "group"];
/// None that makes much of little, such as `exp` and `%`: sums differ in their last bit.
const OF_VALUES: [&str; 4] = ["abs", "ceil", "sgn", "floor"];
const ARITHMETIC: [&str; 4] = ["+", "-", "*", "/"];
const COMPARISONS: [&str; 4] = [">", "<=", "!=", "=="];
const SETS: [&str; 3] = ["and", "or", "unless"];

impl Generator {
    pub(super) fn new(seed: u64) -> Generator {
        Generator(seed)
    }

    /// With `LM` in each selector, for the matchers. Without objects nothing needs to keep the pod.
    pub(super) fn query(&mut self, has_objects: bool) -> String {
        self.vector(DEPTH, has_objects)
    }

    /// Whether something happens that does so `times` in `of`.
    pub(super) fn chance(&mut self, times: usize, of: usize) -> bool {
        self.below(of) < times
    }

    fn vector(&mut self, depth: usize, has_objects: bool) -> String {
        if depth == 0 {
            return self.leaf();
        }
        match self.below(13) {
            0 => self.leaf(),
            1..=4 => self.aggregate(depth, has_objects),
            5 | 6 => self.matched(depth, has_objects),
            7 => self.same_on_both_sides(depth, has_objects),
            8 => {
                let (inner, number) = (self.vector(depth - 1, has_objects), self.below(5));
                let operator = self.one_of(&[ARITHMETIC.as_slice(), COMPARISONS.as_slice()].concat());
                format!("({inner}) {operator} {number}.5")
            }
            9 => format!(
                "{}({})",
                self.one_of(&OF_VALUES),
                self.vector(depth - 1, has_objects)
            ),
            10 => {
                let over = self.one_of(&OVER_TIME);
                format!(
                    "{over}_over_time(({})[3s:1s])",
                    self.vector(depth - 1, has_objects)
                )
            }
            11 => {
                let by = self.labels(has_objects);
                let by = if by.is_empty() {
                    "le".to_owned()
                } else {
                    format!("le,{by}")
                };
                format!(
                    "histogram_quantile(0.{}, sum by ({by}) (rate(took_bucket{{LM}}[4s])))",
                    self.below(10)
                )
            }
            _ => format!("-({})", self.vector(depth - 1, has_objects)),
        }
    }

    fn leaf(&mut self) -> String {
        match self.below(4) {
            0 => {
                let (function, seconds) = (self.one_of(&OF_COUNTERS), self.below(3) + 3);
                format!("{function}(done_total{{LM}}[{seconds}s])")
            }
            1 => format!("{}_over_time(depth{{LM}}[4s] offset 1s)", self.one_of(&OVER_TIME)),
            2 => format!("depth{{LM}} offset {}s", self.below(2) + 1),
            _ => {
                let series = self.one_of(&INSTANT);
                match series.strip_suffix('}') {
                    Some(series) => format!("{series},LM}}"),
                    None => format!("{series}{{LM}}"),
                }
            }
        }
    }

    fn aggregate(&mut self, depth: usize, has_objects: bool) -> String {
        let inner = self.vector(depth - 1, has_objects);
        let by = self.labels(has_objects);
        if self.chance(1, 8) {
            return format!("quantile by ({by}) (0.{}, {inner})", self.below(10));
        }
        let aggregation = self.one_of(&AGGREGATIONS);
        match self.below(4) {
            0 => format!("{aggregation} without (container,instance) ({inner})"),
            1 if !has_objects => format!("{aggregation}({inner})"),
            _ => format!("{aggregation} by ({by}) ({inner})"),
        }
    }

    fn matched(&mut self, depth: usize, has_objects: bool) -> String {
        let (left, right) = (
            self.vector(depth - 1, has_objects),
            self.vector(depth - 1, has_objects),
        );
        self.between(&left, &right, has_objects)
    }

    /// Both sides of one form have the same labels, so that something matches.
    fn same_on_both_sides(&mut self, depth: usize, has_objects: bool) -> String {
        let left = self.aggregate(depth, has_objects);
        let right = left.replace("depth{", "limit{");
        self.between(&left, &right, has_objects)
    }

    fn between(&mut self, left: &str, right: &str, has_objects: bool) -> String {
        let operator = match self.below(6) {
            0 | 1 => self.one_of(&SETS),
            2 => self.one_of(&COMPARISONS),
            _ => self.one_of(&ARITHMETIC),
        };
        let labels = self.labels(has_objects);
        let is_set = SETS.contains(&operator.as_str());
        let bool = if COMPARISONS.contains(&operator.as_str()) && self.chance(1, 2) {
            "bool "
        } else {
            ""
        };
        let matching = match self.below(5) {
            0 => format!("on ({labels})"),
            1 => "ignoring (container)".to_owned(),
            2 if !is_set => format!("on ({labels}) group_left ()"),
            3 if !is_set => "ignoring (container) group_right ()".to_owned(),
            _ => String::new(),
        };
        format!("({left}) {operator} {bool}{matching} ({right})")
    }

    /// Labels to keep or to match on, the pod among them if there are objects.
    fn labels(&mut self, has_objects: bool) -> String {
        let mut labels = Vec::new();
        if has_objects || self.chance(1, 2) {
            labels.push("pod");
        }
        if self.chance(1, 3) {
            labels.push("container");
        }
        if self.chance(1, 3) {
            labels.push("namespace");
        }
        labels.join(",")
    }

    fn one_of<T: AsRef<str>>(&mut self, texts: &[T]) -> String {
        let chosen = self.below(texts.len());
        texts[chosen].as_ref().to_owned()
    }

    /// SplitMix64.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed % limit as u64) as usize
    }
}
