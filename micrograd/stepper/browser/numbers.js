// How numbers are written: micrograd.render.numerals, once more for numbers that only the page knows.
function shown(x) {
  if (Number.isNaN(x)) return "nan";
  if (!finite(x)) return x > 0 ? "inf" : "−inf";
  const sign = x < 0 ? "−" : "", size = Math.abs(x);
  if (!size) return "0";
  if (size < 1e-4 || size >= 1e6) {
    const [mantissa, exponent] = size.toExponential(3).split("e");
    const digits = even(mantissa, () => size.toExponential(60).slice(0, 62));
    return `${sign}${trimmed(digits)}e${Number(exponent)}`.replace("e-", "e−");
  }
  const places = Math.max(1, 3 - Number(size.toExponential().split("e")[1]));
  return sign + trimmed(even(size.toFixed(places), () => size.toFixed(60)));
}

// Halfway between two numerals JavaScript rounds up and Python to the even one: take Python's.
function even(rounded, exact) {
  if (rounded.at(-1) % 2 === 0) return rounded;
  const places = (rounded.split(".")[1] ?? "").length;
  if (!/^50*$/.test(exact().split(".")[1].slice(places))) return rounded;
  return (Number(rounded) - 10 ** -places).toFixed(places);
}

const trimmed = text => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
