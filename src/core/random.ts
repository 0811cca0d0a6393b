/**
 * Seeded generators. Streams are part of the product's contract: a seed names the same signs, matrices and synthetic
 * data for ever. Generator: xoshiro128** (Blackman, Vigna), seeded by splitmix32.
 */
export interface Random {
  /** The next 32 random bits, as an unsigned integer. */
  uint32(): number
  /** Uniform in (0, 1), never 0 or 1. */
  uniform(): number
  /** Standard normal (Box-Muller; both values of a pair are used, cosine first). */
  normal(): number
}

function splitmix32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
}

const rotl = (x: number, k: number) => (x << k) | (x >>> (32 - k))

/** A xoshiro128** generator whose state is four splitmix32 outputs of `seed`. */
export function createRandom(seed: number): Random {
  const mix = splitmix32(seed)
  const s = new Int32Array([mix(), mix(), mix(), mix()])
  let spare: number | null = null

  const uint32 = () => {
    const result = Math.imul(rotl(Math.imul(s[1], 5), 7), 9) >>> 0
    const t = s[1] << 9
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = rotl(s[3], 11)
    return result
  }
  const uniform = () => (uint32() + 0.5) / 2 ** 32
  const normal = () => {
    if (spare !== null) {
      const value = spare
      spare = null
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
  return { uint32, uniform, normal }
}

/**
 * A number of Student's t distribution. Polar form, two uniform numbers: radius² = ν (u^(−2/ν) − 1), which tends to the
 * −2 ln u of Box-Muller as ν grows. Source: Bailey 1994, "Polar generation of random variates with the t-distribution".
 */
export function studentT(random: Random, degrees: number): number {
  const radius = Math.sqrt(degrees * Math.expm1((-2 / degrees) * Math.log(random.uniform())))
  return radius * Math.cos(2 * Math.PI * random.uniform())
}

/** `n` signs: −1 where the top bit of the generator's output is 1. */
export function randomSigns(n: number, seed: number): Int8Array {
  const random = createRandom(seed)
  return Int8Array.from({ length: n }, () => (random.uint32() >>> 31 ? -1 : 1))
}
