import { act, cleanup, fireEvent, render, within } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { VIEWS, type ViewId } from '../../src/store/views'
import { App } from '../../src/ui/App'
import { CUSTOM_VIEWS } from '../../src/ui/main/custom-views'
import { PANEL, TILE_FIGURE } from '../../src/ui/main/figure-views'
import { FakeEngine, failure, result, VOCABULARY } from '../store/fake-engine'
import { does, later } from '../support/hooks'

vi.mock('../../src/ui/plot/Plot', () => ({
  Plot: ({ label, children }: { label: string; children?: ReactNode }) => (
    <div>
      <p data-test="caption">{label}</p>
      {children}
    </div>
  ),
}))

let engine: FakeEngine
let store: AppStore

async function open(fragment: string, vocabulary = VOCABULARY) {
  store = createAppStore(engine, {
    vocabulary,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  render(<App store={store} />)
  await does(() => Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)]))
}

const area = () => {
  const found = document.querySelector<HTMLElement>('[data-test="view-area"]')
  if (!found) throw new Error('the page has no area for views')
  return found
}

/** What stands in the place of figures, title and all. */
const panels = () => [...area().querySelectorAll<HTMLElement>('[data-test="panel-state"]')]

/** Opens each view and hands it over, its code loaded. */
async function walk(check: (view: ViewId) => void) {
  for (const { id } of VIEWS) {
    await does(() => store.actions.setView(id))
    for (let tries = 0; tries < 400 && area().textContent?.includes('Loading'); tries++) await act(later)
    expect(area().textContent?.trim(), `${id} is not blank`).not.toBe('')
    for (const panel of panels())
      expect(leadsOn(panel), `${id}: "${panel.textContent}" says what comes next`).toBe(true)
    check(id)
  }
}

/** A button, a sentence that says more than the title, or something that goes on by itself. */
function leadsOn(panel: HTMLElement): boolean {
  if (panel.dataset.kind === 'working' || panel.dataset.compact === 'true') return true
  return panel.querySelector('button') !== null || (panel.querySelectorAll('p')[1]?.textContent ?? '').length > 20
}

/** That one panel fills the area, with this title, and offers this. */
function isBlocked(title: string, offer: string) {
  expect(panels()).toHaveLength(1)
  expect(panels()[0].textContent).toContain(title)
  expect(within(panels()[0]).getByRole('button', { name: offer })).not.toBeNull()
}

const TILES: readonly ViewId[] = ['distribution', 'surface', 'channels']

// The code of every view, so that none is loaded while one is looked at.
beforeAll(async () => {
  await Promise.all([
    PANEL.load(),
    TILE_FIGURE.load(),
    import('../../src/ui/figure5/Figure5View'),
    import('../../src/ui/blocks/BlocksView'),
    import('../../src/ui/scales/ScalesView'),
    import('../../src/ui/formats/FormatsView'),
    import('../../src/ui/grid/GridView'),
    import('../../src/ui/sweeps/SweepsView'),
    import('../../src/ui/rotation/RotationView'),
    import('../../src/ui/findings/FindingsView'),
  ])
}, 60_000)
beforeEach(() => {
  engine = new FakeEngine()
})
afterEach(cleanup)

it('has a component for every custom view', () => {
  const custom = VIEWS.flatMap((view) => (view.scope === 'custom' ? [view.id] : []))
  expect(Object.keys(CUSTOM_VIEWS).sort()).toEqual([...custom].sort())
})

it('says in every view that no layer is open, and how to open one', async () => {
  await open('', { ...VOCABULARY, builtIns: [] })
  await walk((view) => {
    if (view === 'formats') return expect(area().textContent).not.toContain('No layer is open')
    isBlocked('No layer is open', 'Open a file')
    if (view === 'rotation') isBlocked('No layer is open', 'Study a synthetic layer')
  })
})

it('says in every view of a layer that a link waits for its file', async () => {
  await open('#src=file:mine.safetensors,8,')
  await walk((view) => {
    if (view === 'formats') return expect(area().textContent).not.toContain('Waiting for')
    isBlocked('Waiting for mine.safetensors', 'Open a file')
    if (view === 'rotation') isBlocked('Waiting for mine.safetensors', 'Study a synthetic layer')
  })
})

it('says where methods are needed that none is chosen, and chooses some', async () => {
  await open('#m=-rtn')
  const shown: ViewId[] = []
  await walk((view) => {
    if (!area().textContent?.includes('No method is chosen')) return void shown.push(view)
    isBlocked('No method is chosen', 'Rotation vs affine')
  })
  expect(shown).toEqual(['figure5', 'blocks', 'formats', 'grid', 'rotation', 'findings'])
  await does(() => store.actions.setView('distribution'))
  await does(() => fireEvent.click(within(area()).getByRole('button', { name: 'Rotation vs affine' })))
  expect(area().querySelector('[data-test="tile-quarot"]')).not.toBeNull()
})

it('says in every view but Formats that there is no WebGPU, and tries again', async () => {
  engine.device = { ok: false, error: { kind: 'unsupported', code: 'GP-00', message: 'found none' } }
  await open('')
  await walk((view) => {
    if (view === 'formats') return expect(area().textContent).not.toContain('Needs WebGPU')
    isBlocked('Needs WebGPU', 'Try again')
  })
})

it('shows in every view that it waits for the first result', async () => {
  await open('')
  await walk((view) => {
    if (TILES.includes(view)) expect(panels().map(({ textContent }) => textContent)).toEqual(Array(3).fill('Waiting'))
    if (view === 'error') expect(panels()[0].textContent).toContain('Computing the first result')
    if (view === 'training') expect(panels()[0].textContent).toContain('Waiting for FlatQuant')
    if (view === 'scales') expect(panels().map(({ textContent }) => textContent)).toEqual(Array(3).fill('Waiting'))
    if (view === 'sweeps') expect(panels()[0].textContent).toContain('Nothing is computed yet')
  })
})

it('keeps what is computed beside a method that failed, which can be tried again', async () => {
  await open('')
  await does(() => {
    const outcomes = [result('rtn'), failure('quarot'), result('flatquant')]
    for (const outcome of outcomes) engine.last.emit({ kind: 'outcome', outcome })
    engine.last.end({ kind: 'done' })
  })
  await walk((view) => {
    if (!TILES.includes(view)) return
    const failed = panels().filter(({ dataset }) => dataset.kind === 'failed')
    expect(failed).toHaveLength(1)
    expect(within(failed[0]).getByRole('button', { name: 'Retry' })).not.toBeNull()
    expect(area().querySelectorAll('[data-test="caption"]')).toHaveLength(2)
  })
})

it('offers what an error proposes, in one click', async () => {
  await open('')
  const proposal = { kind: 'tokens', tokens: 64 } as const
  const error = { kind: 'gpu', code: 'GP-03', message: 'Use 64 tokens.', proposal } as const
  await does(() => engine.last.emit({ kind: 'outcome', outcome: { ...failure('quarot'), error } }))
  await does(() => within(area()).getByRole('button', { name: 'Use 64 tokens' }).click())
  await vi.waitFor(() => expect(engine.runs).toHaveLength(2))
  expect(engine.last.choice.tokens).toBe(64)
})

it('offers to compute what a stopped run has left out', async () => {
  await open('')
  await does(() => engine.last.end({ kind: 'cancelled' }))
  await walk((view) => {
    if (TILES.includes(view))
      expect(panels().map(({ textContent }) => textContent)).toEqual(Array(3).fill('Not computed'))
    if (view === 'error' && store.getState().run.runId === null) isBlocked('Not computed', 'Compute')
  })
})

it('says in every view that nothing was computed before the browser took the GPU back', async () => {
  await open('')
  await does(() => engine.lose({ kind: 'gpu', code: 'GP-04', message: 'GPU device lost: "destroyed".' }))
  await does(() => engine.lose({ kind: 'gpu', code: 'GP-04', message: 'GPU device lost: "destroyed".' }))
  expect(store.getState().device.status).toBe('lost')
  await walk((view) => {
    if (view !== 'formats') isBlocked('The browser took the GPU back', 'Try again')
  })
})
