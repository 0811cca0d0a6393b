import { cleanup, fireEvent } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AppStore } from '../../src/store/app-store'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'
import { does, has, hook, loaded } from '../support/hooks'
import { openPage } from '../support/page'

const drawings = vi.hoisted((): unknown[] => [])

vi.mock('../../src/ui/plot/Plot', () => ({
  Plot: ({ label, figure, children }: { label: string; figure: unknown; children?: ReactNode }) => {
    if (drawings.at(-1) !== figure) drawings.push(figure)
    return (
      <div>
        <p data-test="caption">{label}</p>
        {children}
      </div>
    )
  },
}))

let engine: FakeEngine
let store: AppStore

const ERRORS = { rtn: 0.2, smoothquant: 0.15, 'low-rank': 0.1 }

async function open(fragment: string) {
  store = await openPage(engine, fragment)
  await loaded('panel-sweeps')
}

beforeEach(() => {
  engine = new FakeEngine()
  drawings.length = 0
})
afterEach(cleanup)

describe('the Sweeps view', () => {
  it('offers what the chosen methods have, computes it on request and draws it as it comes', async () => {
    await open('#m=rtn,smoothquant,low-rank&view=sweeps')
    await does(() => engine.finish(ERRORS))
    const options = [...(hook('sweep-parameter') as HTMLSelectElement).options].map(({ textContent }) => textContent)
    expect(options).toEqual([
      'Migration strength α (SmoothQuant)',
      'Rank (Low rank)',
      'Calibration tokens (SmoothQuant, Low rank)',
    ])
    expect(engine.sweeps).toEqual([])
    await does(() => fireEvent.change(hook('sweep-parameter'), { target: { value: 'alpha' } }))
    expect(hook('panel-sweeps').textContent).toContain('Without this parameter: RTN, Low rank.')
    expect(has('sweep-figure')).toBe(false)
    await does(() => fireEvent.click(hook('sweep-run')))
    await does(() => engine.sweepPoints(7))
    expect(hook('panel-sweeps').textContent).toContain('7 of 11 values, SmoothQuant')
    expect(hook('sweep-figure').dataset.result).toBe('live')
    await does(() => engine.sweepPoints())
    expect(hook('sweep-state').textContent).toBe('11 values, all computed')
    expect(has('sweep-run')).toBe(false)
    expect(hook('sweep-figure').textContent).toContain(
      'Migration strength α: output SQNR of SmoothQuant rises to 20.0 dB at 0.5, then falls to 16.5 dB at 1. ' +
        '0.5, in use, is level with the best',
    )
    expect(has('sweep-better')).toBe(false)
    await does(() => store.actions.setMethodOption('smoothquant', 'alpha', 0.9))
    expect(hook('sweep-better').textContent).toBe('SmoothQuant is best at 0.5, 2.9 dB above what is in useUse 0.5')
    await does(() => fireEvent.click(hook('sweep-use-smoothquant')))
    expect(hook('sweep-figure').textContent).toContain('0.5, in use, is level with the best')
    expect(has('sweep-better')).toBe(false)
  })

  it('says so where no shown method has anything to sweep', async () => {
    await open('#m=rtn&view=sweeps')
    expect(hook('panel-sweeps').textContent).toContain('No shown method has a parameter to vary')
    expect((hook('sweep-parameter') as HTMLSelectElement).disabled).toBe(true)
  })

  it('is not drawn again while nothing in it changes', async () => {
    await open('#m=rtn,smoothquant&view=sweeps&sw=alpha')
    await does(() => engine.finish(ERRORS))
    await does(() => engine.sweepPoints())
    const drawn = drawings.length
    await does(() => store.actions.setRailOpen(true))
    await does(() => store.actions.toggleMethod('quarot'))
    await does(() => engine.last.emit({ kind: 'started', method: 'quarot', setting: 'W4A4' }))
    expect(drawings).toHaveLength(drawn)
  })

  it('is cancelled and continued', async () => {
    await open('#m=rtn,smoothquant&view=sweeps&sw=alpha')
    expect(hook('panel-sweeps').textContent).toContain('waiting for the comparison')
    await does(() => engine.finish(ERRORS))
    await does(() => engine.sweepPoints(2))
    await does(() => fireEvent.click(hook('sweep-cancel')))
    expect(hook('sweep-state').textContent).toBe('2 of 11 values computed')
    expect(hook('sweep-run').textContent).toBe('Continue')
    await does(() => fireEvent.click(hook('sweep-run')))
    expect(engine.lastSweep.request.values).toHaveLength(9)
  })

  it('says that its lines are of another setting, and computes them again', async () => {
    await open('#m=rtn,smoothquant&view=sweeps&sw=alpha')
    await does(() => engine.finish(ERRORS))
    await does(() => engine.sweepPoints())
    await does(() => store.actions.setSetting(VOCABULARY.settings[0]))
    expect(hook('sweep-stale').textContent).toContain('Computed under Demo layer, W4A4')
    expect(hook('sweep-figure').dataset.result).toBe('stale')
    await does(() => engine.finish(ERRORS))
    expect(hook('sweep-run').textContent).toBe('Run again')
    await does(() => fireEvent.click(hook('sweep-run')))
    await does(() => engine.sweepPoints(1))
    expect(has('sweep-stale')).toBe(false)
    expect(hook('sweep-figure').dataset.result).toBe('live')
  })

  it('names a failure, and a parameter that no method has', async () => {
    await open('#m=rtn,smoothquant&view=sweeps&sw=alpha')
    await does(() => engine.finish(ERRORS))
    const error = { kind: 'gpu', code: 'GP-03', message: 'out of memory.' } as const
    await does(() => engine.lastSweep.end({ kind: 'failed', error }))
    expect(hook('panel-sweeps').querySelector('[role="alert"]')?.textContent).toBe('GP-03 out of memory.')
    await does(() => store.actions.toggleMethod('smoothquant'))
    expect(hook('panel-sweeps').textContent).toContain('No shown method has the parameter "alpha".')
  })
})
