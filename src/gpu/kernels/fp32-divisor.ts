import type { Overrides } from '../pipeline-cache'

/** Values for the overrides of shaders/lib/fp32_scale.wgsl. The odd part of `divisor` is at most 255. */
export function divisorOverrides(divisor: number): Overrides {
  let odd = divisor
  let exponent = 0
  while (!Number.isInteger(odd)) {
    odd *= 2
    exponent -= 1
  }
  while (odd % 2 === 0) {
    odd /= 2
    exponent += 1
  }
  return { DIVISOR: odd, DIVISOR_EXPONENT: exponent }
}
