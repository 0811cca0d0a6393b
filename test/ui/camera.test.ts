import { expect, it } from 'vitest'
import { boxHeight, cameraFit } from '../../src/ui/plot/camera'

it('a tall frame is looked at from farther off and gets a taller box', () => {
  const [wide, square, tall] = [
    [1000, 450],
    [300, 300],
    [340, 460],
  ] as const
  expect([wide, square, tall].map(([w, h]) => cameraFit(w, h))).toEqual([1, 1.4, 1.7])
  expect([wide, square, tall].map(([w, h]) => boxHeight(w, h))).toEqual([0.75, 1.3, expect.closeTo(1.759, 3)])
})

it('a frame without a size is like a wide one', () => {
  expect([cameraFit(0, 0), boxHeight(0, 0)]).toEqual([1, 0.75])
})
