#![expect(
    clippy::approx_constant,
    clippy::excessive_precision,
    reason = "the digits are those that upstream prints"
)]

use super::functions;

/// The function of that name.
fn call(name: &str, x: f64, y: f64) -> f64 {
    let function = match name {
        "ln" => functions::ln,
        "log2" => functions::log2,
        "log10" => functions::log10,
        "exp" => functions::exp,
        "exp2" => functions::exp2,
        "sin" => functions::sin,
        "cos" => functions::cos,
        "tan" => functions::tan,
        "asin" => functions::asin,
        "acos" => functions::acos,
        "atan" => functions::atan,
        "sinh" => functions::sinh,
        "cosh" => functions::cosh,
        "tanh" => functions::tanh,
        "asinh" => functions::asinh,
        "acosh" => functions::acosh,
        "atanh" => functions::atanh,
        "pow" => return functions::pow(x, y),
        "atan2" => return functions::atan2(x, y),
        other => panic!("no function: {other}"),
    };
    function(x)
}

/// Function, arguments, and what Prometheus on amd64 answers. For most of them the platform's own
/// functions differ in the last digit.
const ANSWERS: &str = "
acos 0.43495246963188605 0 1.1208108356244868
acos -0.815329191329929 0 2.5240938481497404
acos 0.5777378789335459 0 0.9548418153564513
acos -0.7502849749506788 0 2.419289352708586
acosh 5.645883136606003 0 2.4161370112591367
acosh 2.7793353357325468 0 1.6813005966429286
acosh 2.5765541584930345 0 1.5996167223946092
acosh 1.356448045676693 0 0.821072659128742
asin -0.6781237215693479 0 -0.7452066767717208
asin 0.671079673621535 0 0.7356641217034681
asin 0.2841733128431623 0 0.2881440832992029
asin 0.35192566783782153 0 0.3596275860675298
asinh 2.503112264025887 0 1.6483863923862185
asinh 5.732340724967948 0 2.4467938424569153
asinh 4.899253616653866 0 2.2924864943061403
asinh -0.4054544809864673 0 -0.3950949029444472
atan -4.467281419558445 0 -1.35057694181629
atan -4.8679219065073465 0 -1.368188496517876
atan 2.9748520803977456 0 1.2465118691013268
atan -7.726230232991704 0 -1.4420826517423355
atan2 36.540859200031576 3.012671136049736 1.488535735543517
atan2 25.22930505110621 3.567900522134096 1.4303090349038767
atan2 19.251206806506843 5.215110412201046 1.3062478433848228
atan2 6.105057716827659 -0.8934263667380584 1.7161068644239423
atanh -0.6474429277986025 0 -0.7708835539875527
atanh -0.1240159032602679 0 -0.1246576213983554
atanh 0.37375785658409155 0 0.3927840589516291
atanh 0.38127550405378274 0 0.4015512676041582
cos -46.74809091040495 0 -0.930214712282722
cos -10.846522497035593 0 -0.14850050333303258
cos 3.1250850429263437 0 -0.9998637524891019
cos 74.40273413879012 0 0.5440922120246564
cosh -13.046043326661174 0 231629.90645274968
cosh 10.966401819998978 0 28947.94916015872
cosh -19.062166913684372 0 94965073.36010651
cosh 15.0923717632255 0 1792684.155152503
exp -651.492606561666 0 1.1490950914775755e-283
exp 658.274832742138 0 7.675866904606392e+285
exp -211.3846310694605 0 1.573334867432159e-92
exp 588.4019688825774 0 3.4651993695482344e+255
ln 695.2956709782931 0 6.544337180964913
ln 839.9679405447608 0 6.733363725090877
ln 385.79205665526837 0 5.95529851097835
ln 323.8334410003975 0 5.78022931262611
log10 772.8096071207827 0 2.88807251233809
log10 607.2546239911561 0 2.7833708304614375
log10 327.8004831256308 0 2.5156095893157517
log10 822.7554297558758 0 2.9152707570924927
log2 281.9340003733472 0 8.13921366275978
log2 1.069913876007838 0 0.09749466984407462
log2 389.51708154397886 0 8.605542786144941
log2 70.7237448611906 0 6.144122763135205
pow 18.342347398164602 8.488652058689166 53092009295.28119
pow 13.85355145505369 19.12634534769677 6.821694354328263e+21
pow 21.90263824664599 -19.856022557013134 2.41586489902671e-27
pow 45.44558464407319 11.442374753666613 9239343715903435000
sin -96.89398791343005 0 -0.47536983026081514
sin -82.37214204930486 0 -0.6371023776388223
sin -96.44458550893383 0 -0.8103720070676674
sin -69.64715476796779 0 -0.5073582430608612
sinh 11.279039931669502 0 39572.620276444344
sinh -24.620330492091927 0 -24628824252.284332
sinh -3.629842186241717 0 -18.84017255804786
sinh -0.3372098104745156 0 -0.34363695711822473
tan -79.97927654366185 0 -7.570222340509759
tan 64.62816665696741 0 -4.358821895264189
tan 22.600849614473105 0 0.6984739560056039
tan -65.89284248972496 0 0.08077824704560295
tanh -0.7702863996988558 0 -0.6470959559386527
tanh -0.796953452747204 0 -0.6623301350062063
tanh -0.5524542586073102 0 -0.5023573672864858
tanh -2.736599174853975 0 -0.991639526106867
atanh -1e-9 0 -1e-09
exp -746 0 0
exp 710 0 +Inf
ln 0 0 -Inf
log2 1024 0 10
pow -1 +Inf 1
pow -3.5 2 12.25
pow -3.5 0.3 NaN
pow 0.9 5000 1.6313501853430167e-229
";

#[test]
fn functions_have_upstreams_bits() {
    for line in ANSWERS.trim().lines() {
        let [name, x, y, expected] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("no case: {line}");
        };
        let number = |text: &str| text.parse::<f64>().expect("a number");
        let (got, expected) = (call(name, number(x), number(y)), number(expected));
        assert!(got == expected || got.is_nan() && expected.is_nan(), "{line}: got {got:?}");
    }
    // Two to a power is not a function of the language, but the bounds of histograms show it.
    assert_eq!(functions::exp2(0.5), 1.414_213_562_373_095);
}

#[test]
fn ties_are_printed_with_an_even_digit() {
    let check = |value: f64, expected: &str| {
        let mut out = String::new();
        crate::float::write_json(value, &mut out);
        assert_eq!(out, expected);
        assert_eq!(out.parse(), Ok(value));
    };
    check(3_066_360_445_052.656_25, "3066360445052.6562");
    check(146_682_791_287.890_625, "146682791287.89062");
    check(2_734_375.5, "2734375.5");
    check(0.1, "0.1");
    check(2_f64.powi(-24), "5.960464477539063e-08");
    let mut out = String::new();
    crate::float::write_general(-3_066_360_445_052.656_25, &mut out);
    assert_eq!(out, "-3.0663604450526562e+12");
}

#[test]
fn plain_numbers_are_shortest() {
    let check = |value: f64| {
        let mut out = String::new();
        crate::float::write_plain(value, &mut out);
        assert_eq!(out.parse(), Ok(value), "{value:?} is printed {out}");
        assert_eq!(out.len(), value.to_string().len(), "{value} is printed {out}");
    };
    for value in [0.0, -0.0, 1.0, -7.25, 1e15, 9_007_199_254_740_993.0, 1e20, 1e-7, 5e-324, 123e300]
    {
        check(value);
    }
    let mut bits = 1_u64;
    for _ in 0..20_000 {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let value = f64::from_bits(bits);
        if value.is_finite() {
            check(value);
        }
        check((bits >> 20) as f64 / 1000.0);
        check((bits >> 50) as f64 / 8.0);
    }
}
