import { act, cleanup, renderHook } from '@testing-library/react'
import { afterEach, expect, it } from 'vitest'
import { useHoverTip } from '../../src/ui/main/use-hover-tip'

afterEach(cleanup)

it('keeps the tooltip from the use of its control until the mouse comes back', () => {
  const { result } = renderHook(useHoverTip)
  expect(result.current.tip.disabled).toBe(false)
  for (const use of ['onPointerDown', 'onKeyDown'] as const) {
    act(() => result.current.target[use]())
    expect(result.current.tip.disabled).toBe(true)
    act(() => result.current.target.onMouseEnter())
    expect(result.current.tip.disabled).toBe(false)
  }
})

it('opens by the mouse alone', () => {
  expect(renderHook(useHoverTip).result.current.tip.events).toEqual({ hover: true, focus: false, touch: false })
})
