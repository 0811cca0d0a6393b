import { useComputedColorScheme } from '@mantine/core'
import { methodStyle } from '../figures/method-style'

/** The glyph of a method in its colour, an addition to it in ink. The name always stands beside it. */
export function MethodMark({ id }: { readonly id: string }) {
  const { glyph, colour } = methodStyle(id, useComputedColorScheme('light'))
  const [shape, ...addition] = glyph
  return (
    <span aria-hidden>
      <span style={{ color: colour }}>{shape}</span>
      {addition}
    </span>
  )
}
