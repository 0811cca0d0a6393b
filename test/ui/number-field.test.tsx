import { MantineProvider } from '@mantine/core'
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { useState } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NumberField } from '../../src/ui/NumberField'
import { REFUSAL_MS, TYPING_PAUSE_MS } from '../../src/ui/use-number-edit'

const applied: (number | null)[] = []
let setOutside: (value: number | null) => void

function Host({ start, empty, integer }: { start: number | null; empty?: string; integer?: boolean }) {
  const [value, setValue] = useState(start)
  setOutside = setValue
  return (
    <MantineProvider>
      <NumberField
        label="Rows used"
        help="Help."
        value={value}
        min={2}
        max={512}
        empty={empty}
        integer={integer}
        onChange={(next) => {
          applied.push(next)
          setValue(next)
        }}
      />
    </MantineProvider>
  )
}

const field = () => screen.getByLabelText<HTMLInputElement>('Rows used')
const complaint = () => screen.queryByRole('alert')?.textContent ?? null
const type = (text: string) => fireEvent.change(field(), { target: { value: text } })
const pause = () => act(() => vi.advanceTimersByTimeAsync(TYPING_PAUSE_MS))

beforeEach(() => {
  vi.useFakeTimers()
  applied.length = 0
})
afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

describe('a number that is typed', () => {
  it('applies once, after a pause', async () => {
    render(<Host start={64} />)
    for (const text of ['1', '12', '128']) type(text)
    expect(applied).toEqual([])
    await pause()
    expect(applied).toEqual([128])
    expect(field().value).toBe('128')
  })

  it('applies at once on Enter and when the field is left', () => {
    render(<Host start={64} />)
    type('128')
    fireEvent.keyDown(field(), { key: 'Enter' })
    type('256')
    fireEvent.blur(field())
    expect(applied).toEqual([128, 256])
    expect(field().value).toBe('256')
  })

  it('takes back what its beginning applied when it goes out of range', async () => {
    render(<Host start={64} />)
    type('99')
    await pause()
    type('9999')
    expect(applied).toEqual([99, 64])
    expect(field().value).toBe('9999')
    expect(field().getAttribute('aria-invalid')).toBe('true')
    expect(complaint()).toBe('Rows used: expected a whole number from 2 to 512, found 9999.')
    fireEvent.blur(field())
    expect(field().value).toBe('64')
    expect(field().getAttribute('aria-invalid')).not.toBe('true')
    expect(applied).toEqual([99, 64])
  })

  it.each([
    ['1', 'found 1.'],
    ['0', 'found 0.'],
    ['-5', 'found -5.'],
    ['3.5', 'found 3.5.'],
    ['99999999999999999999', 'found 99999999999999999999.'],
    ['', 'found nothing.'],
  ])('"%s" changes nothing, and the field goes back to the value in force', async (text, found) => {
    render(<Host start={64} />)
    type(text)
    await pause()
    expect(complaint()).toContain(found)
    fireEvent.keyDown(field(), { key: 'Enter' })
    expect(field().value).toBe('64')
    expect(applied).toEqual([])
    expect(complaint()).toContain(`expected a whole number from 2 to 512, ${found}`)
    type('65')
    expect(complaint()).toBeNull()
  })

  it('says what it refused for a moment, or until the value is another', async () => {
    render(<Host start={64} />)
    type('9999')
    fireEvent.blur(field())
    expect(complaint()).toContain('found 9999.')
    await act(() => vi.advanceTimersByTimeAsync(REFUSAL_MS))
    expect(complaint()).toBeNull()
    type('9999')
    fireEvent.blur(field())
    act(() => setOutside(32))
    expect(complaint()).toBeNull()
  })

  it('goes a step by the arrow keys and by the buttons beside it, within the range', async () => {
    render(<Host start={511} />)
    fireEvent.keyDown(field(), { key: 'ArrowUp' })
    expect(field().value).toBe('512')
    fireEvent.keyDown(field(), { key: 'ArrowUp' })
    expect(field().value).toBe('512')
    const down = document.querySelector('[data-direction="down"]')
    if (down) fireEvent.pointerDown(down)
    expect(field().value).toBe('511')
    expect(document.activeElement).toBe(field())
    type('5x1,2')
    expect(field().value).toBe('51.2')
  })

  it('may be a fraction where fractions make sense', async () => {
    render(<Host start={64} integer={false} />)
    type('3.5')
    await pause()
    expect(applied).toEqual([3.5])
  })

  it('may be left out where that means something', async () => {
    render(<Host start={64} empty="all 512" />)
    type('')
    await pause()
    expect(applied).toEqual([null])
    expect(complaint()).toBeNull()
    expect(field().placeholder).toBe('all 512')
  })

  it('gives way to a value set elsewhere', async () => {
    render(<Host start={64} />)
    type('9999')
    act(() => setOutside(32))
    expect(field().value).toBe('32')
    expect(complaint()).toBeNull()
  })

  it('applies when its popover closes under it', () => {
    const { unmount } = render(<Host start={64} />)
    type('128')
    unmount()
    expect(applied).toEqual([128])
  })
})
