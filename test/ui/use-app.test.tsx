import { act, cleanup, render } from '@testing-library/react'
import { afterEach, expect, it } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import type { AppState } from '../../src/store/state'
import { StoreContext, useApp } from '../../src/ui/use-app'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'

afterEach(cleanup)

it('asks a selector again only when a slice it has read has changed', () => {
  const store = createAppStore(new FakeEngine(), {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  let asked = 0
  const label = (state: AppState) => {
    asked += 1
    const { view } = state.view
    return view === 'error' ? `${view} ${state.highlight.pointedMethod}` : view
  }
  const Label = () => <p>{useApp(label)}</p>
  render(
    <StoreContext value={store}>
      <Label />
    </StoreContext>,
  )
  const text = () => document.querySelector('p')?.textContent
  const before = asked
  act(() => store.actions.pointMethod('rtn'))
  expect([text(), asked - before]).toEqual(['distribution', 0])
  act(() => store.actions.setView('error'))
  expect(text()).toBe('error rtn')
  // What is read only now counts from now on.
  act(() => store.actions.pointMethod('quarot'))
  expect(text()).toBe('error quarot')
})
