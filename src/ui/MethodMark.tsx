import { useComputedColorScheme } from '@mantine/core'
import { methodStyle } from '../figures/method-style'

/** The glyph of a method in its colour. The name always stands beside it. */
export function MethodMark({ id }: { readonly id: string }) {
  const { glyph, colour } = methodStyle(id, useComputedColorScheme('light'))
  return (
    <span aria-hidden style={{ color: colour }}>
      {glyph}
    </span>
  )
}
