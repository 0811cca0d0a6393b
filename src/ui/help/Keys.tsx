import { useEffect } from 'react'
import { neighbourWeight, type Shortcut, shortcutOf } from '../../store/shortcuts'
import { useActions, useStateReader } from '../use-app'

/** Fields that take what is typed; switches, radio buttons and sliders take no letters. */
const TYPED =
  'input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select, [contenteditable]'

/** What is open over the page, and has its own keys. */
const OPEN = 'dialog[open], [role="dialog"]'

/** Acts on the shortcuts of the page. Draws nothing. */
export function Keys() {
  const actions = useActions()
  const read = useStateReader()
  useEffect(() => {
    const act = ({ key, effect }: Shortcut) => {
      const { run, highlight, source } = read()
      switch (effect.kind) {
        case 'press':
          return press(key)
        case 'view':
          return actions.setView(effect.id)
        case 'run':
          return actions.run()
        case 'cancel':
          return run.phase === 'running' ? actions.cancel() : undefined
        case 'pin':
          if (highlight.pointedChannel !== null) return actions.pinChannel(highlight.pointedChannel)
          return highlight.pointedMethod === null ? undefined : actions.pinMethod(highlight.pointedMethod)
        case 'weight': {
          const weight = neighbourWeight({ source }, effect.step)
          return weight === null ? undefined : actions.chooseWeight(weight)
        }
        case 'shortcuts':
          return actions.showShortcuts(true)
      }
    }
    // What Escape closes is gone when the key arrives here.
    let isOpen = false
    const note = () => {
      isOpen = document.querySelector(OPEN) !== null
    }
    const onKeyDown = (event: KeyboardEvent) => {
      const shortcut = shortcutOf(event, read().guide.singleKeys)
      const { target } = event
      if (!shortcut || event.defaultPrevented || isOpen) return
      if (target instanceof Element && target.closest(TYPED)) return
      // The key itself is not typed into the field that takes the focus.
      event.preventDefault()
      act(shortcut)
    }
    window.addEventListener('keydown', note, true)
    window.addEventListener('keydown', onKeyDown)
    return () => {
      window.removeEventListener('keydown', note, true)
      window.removeEventListener('keydown', onKeyDown)
    }
  }, [actions, read])
  return null
}

/** Presses the control that declares the key, or puts the focus in it where it is a field, on its first choice in a list. */
function press(key: string): void {
  const control = document.querySelector<HTMLElement>(`[aria-keyshortcuts="${key}"]`)
  if (control instanceof HTMLInputElement) control.focus()
  else if (control instanceof HTMLUListElement)
    control.querySelector<HTMLElement>('button[aria-pressed]:not([disabled])')?.focus()
  else control?.click()
}
