//! Logistic regression over hashed features, with steps that shrink where a weight has moved much (Duchi and others
//! 2011), then rounded to eight bits.

use super::random::Random;
use detect::analytic::generated_name::{PLACES, features};

/// Rounds over all names.
const ROUNDS: usize = 12;
/// The first step.
const STEP: f64 = 0.15;
/// What pulls each weight to zero at each touch.
const PULL: f64 = 2e-5;

/// A name and its truth.
#[derive(Clone)]
pub struct Name {
    pub label: String,
    pub suffix: String,
    pub generated: bool,
}

/// Rounded weights.
pub struct Model {
    weights: Vec<i8>,
    unit: f32,
    bias: f32,
}

/// Learns from all names; people's and drawn ones weigh the same together.
pub fn train(names: &[Name]) -> Model {
    let mut random = Random::new(1);
    let places: Vec<Vec<usize>> = names.iter().map(|name| places(&name.label, &name.suffix)).collect();
    let drawn = names.iter().filter(|name| name.generated).count() as f64 / names.len() as f64;
    let (mut weights, mut moved, mut bias) = (vec![0.0_f64; PLACES], vec![1e-2_f64; PLACES], 0.0);
    let mut order: Vec<usize> = (0..names.len()).collect();
    for _ in 0..ROUNDS {
        for at in (1..order.len()).rev() {
            order.swap(at, random.below(at + 1));
        }
        for number in &order {
            let generated = names[*number].generated;
            let odds = bias + places[*number].iter().map(|place| weights[*place]).sum::<f64>();
            let share = if generated { 0.5 / drawn } else { 0.5 / (1.0 - drawn) };
            let slope = share * (1.0 / (1.0 + (-odds).exp()) - f64::from(u8::from(generated)));
            bias -= 0.002 * slope;
            for place in &places[*number] {
                let here = slope + PULL * weights[*place];
                moved[*place] += here * here;
                weights[*place] -= STEP * here / moved[*place].sqrt();
            }
        }
    }
    let largest = weights.iter().map(|weight| weight.abs()).fold(0.0, f64::max);
    let unit = largest / 127.0;
    let weights = weights.iter().map(|weight| (weight / unit).round() as i8).collect();
    Model { weights, unit: unit as f32, bias: bias as f32 }
}

fn places(label: &str, suffix: &str) -> Vec<usize> {
    let mut places = Vec::new();
    features(label, suffix, |place| places.push(place));
    places
}

impl Model {
    /// As the analytic reads it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.weights.iter().map(|weight| weight.cast_unsigned()).collect();
        bytes.extend(self.unit.to_le_bytes());
        bytes.extend(self.bias.to_le_bytes());
        bytes
    }

    /// The log-odds of a label.
    pub fn odds(&self, label: &str, suffix: &str) -> f64 {
        let sum: i32 = places(label, suffix).iter().map(|place| i32::from(self.weights[*place])).sum();
        f64::from(sum) * f64::from(self.unit) + f64::from(self.bias)
    }
}
