import { act, cleanup, fireEvent, screen } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AppStore } from '../../src/store/app-store'
import { ADAPTER, FakeEngine } from '../store/fake-engine'
import { does, has, hook, later, loaded } from '../support/hooks'
import { openPage } from '../support/page'

const drawings = vi.hoisted((): unknown[] => [])

vi.mock('../../src/ui/plot/Plot', () => ({
  Plot: ({ label, figure, children }: { label: string; figure: unknown; children?: ReactNode }) => {
    if (!drawings.includes(figure)) drawings.push(figure)
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

async function open(fragment: string) {
  store = await openPage(engine, fragment)
  await loaded('panel-rotation')
}

/** Ends the comparison, and waits for the study that follows it. */
async function finishComparison() {
  await does(() => engine.finish({ rtn: 0.2 }))
  await vi.waitFor(async () => {
    await act(later)
    expect(engine.studies.length).toBeGreaterThan(0)
  })
}

beforeEach(() => {
  engine = new FakeEngine()
  drawings.length = 0
})
afterEach(cleanup)

describe('the synthetic layer', () => {
  it('computes itself, says what it finds, and shows one panel per format', async () => {
    await open('#m=rtn&view=rotation&ro=synthetic')
    expect(hook('panel-rotation').textContent).toContain('waiting for the comparison')
    await finishComparison()
    expect(hook('study-sentence').textContent).toBe('Strength 32 is not computed yet.')
    await does(() => engine.studyPoints(9))
    expect(hook('study-sentence').textContent).toBe(
      'At strength 32, QuaRot raises the error of MXFP4 by 4 % and NVFP4 by 4 % and lowers that of INT4 by 50 %.',
    )
    expect(hook('panel-rotation').textContent).toContain('9 of 72 errors')
    await does(() => engine.studyPoints())
    expect(has('study-cancel')).toBe(false)
    expect(hook('study-ratio-mxfp4').textContent).toBe('1.04')
    expect(hook('study-ratio-int4').textContent).toBe('0.50')
    expect(hook('study-panel-mxfp4').textContent).toContain('QuaRot is worse than RTN above 8.0')
  })

  it('moves along the curves by keyboard without computing anything', async () => {
    await open('#m=rtn&view=rotation&ro=synthetic')
    await finishComparison()
    await does(() => engine.studyPoints())
    const slider = screen.getByRole('slider', { name: 'Outlier strength k' })
    expect(slider.getAttribute('aria-valuetext')).toBe('32 ×')
    await does(() => fireEvent.keyDown(slider, { key: 'ArrowRight' }))
    await does(() => fireEvent.keyUp(slider, { key: 'ArrowRight' }))
    expect(store.getState().rotation.controls.strength).toBe(64)
    expect(hook('study-sentence').textContent).toMatch(/^At strength 64, /)
    expect(engine.studies).toHaveLength(1)
  })

  it('is not drawn again while nothing in it changes', async () => {
    await open('#m=rtn&view=rotation&ro=synthetic')
    await finishComparison()
    await does(() => engine.studyPoints())
    const drawn = drawings.length
    await does(() => store.actions.setRailOpen(true))
    expect(drawings).toHaveLength(drawn)
  })

  it('keeps the old curves, pale and named, until the first point of the new ones', async () => {
    await open('#m=rtn&view=rotation&ro=synthetic')
    await finishComparison()
    await does(() => engine.studyPoints())
    await does(() => fireEvent.change(hook('study-width'), { target: { value: '256' } }))
    expect(hook('study-panels').dataset.result).toBe('stale')
    expect(hook('panel-rotation').textContent).toContain('The curves are those of other settings')
    await does(() => engine.studyPoints(1))
    expect(hook('study-panels').dataset.result).toBe('live')
  })

  it('says what learned methods cost before they are switched on', async () => {
    engine.device = { ok: true, value: { ...ADAPTER, isSoftware: true } }
    await open('#m=rtn&view=rotation&ro=synthetic')
    await finishComparison()
    await does(() => engine.studyPoints())
    expect(hook('panel-rotation').textContent).toContain(
      'each is trained 24 times, on the output error of this one layer, minutes on this software GPU.',
    )
    await does(() => fireEvent.click(hook('study-flatquant')))
    expect(engine.lastStudy.request.methods.map(({ id }) => id)).toEqual(['flatquant'])
    await does(() => fireEvent.click(hook('study-cancel')))
    expect(hook('study-state').textContent).toBe('72 of 96 errors computed')
    expect(hook('study-run').textContent).toBe('Continue')
  })

  it('names a failure and offers to go on', async () => {
    await open('#m=rtn&view=rotation&ro=synthetic')
    await finishComparison()
    const error = { kind: 'input', code: 'AC-06', message: 'synthetic layer: too wide.' } as const
    await does(() => engine.lastStudy.end({ kind: 'failed', error }))
    expect(hook('panel-rotation').querySelector('[role="alert"]')?.textContent).toBe(
      'synthetic layer: too wide. (AC-06)',
    )
    await does(() => fireEvent.click(hook('study-run')))
    expect(engine.studies).toHaveLength(2)
  })
})

describe('the words of the view', () => {
  it('are explained where they stand, and the loaded layer is not spoken of above random numbers', async () => {
    await open('#m=rtn&view=rotation&ro=synthetic')
    for (const term of ['Closed form', 'Mismatch index', 'Crest factor', 'κ', 'χ']) {
      expect(hook('rotation-glossary').textContent).toContain(term)
    }
    expect(has('answer')).toBe(false)
    await does(() => store.actions.setRotation({ part: 'layer' }))
    expect(has('answer')).toBe(true)
  })
})

describe('this layer', () => {
  it('shows both causes, what was measured beside what is predicted, and the verdict over five seeds', async () => {
    await open('#m=rtn&view=rotation&ro=synthetic')
    await does(() => engine.finish({ rtn: 0.2 }))
    await does(() => store.actions.setRotation({ part: 'layer' }))
    expect(engine.questions).toHaveLength(10)
    expect(hook('causes-verdict').textContent).toBe(
      'QuaRot hurts here: error over that of RTN 1.11 on average over 5 seeds (1.10 to 1.12), 1.10 with this one.',
    )
    expect(hook('pair-int4').textContent).toMatch(/^INT41\.11 on average.*hurts$/)
    expect(hook('causes-story').textContent).toContain('four-bit floats round badly')
    expect(hook('causes-about').textContent).toBe('Demo layer › q_proj, W4A4')
    expect(hook('causes-attribution').textContent).toContain('79 % of the predicted squared error under RTN')
    expect(hook('causes-table').textContent).toContain('RTN, from the channels0.19800.2000+1.0 %')
    expect(hook('causes-token').textContent).toContain('QuaRot lowers its kurtosis from 38.6 to 1.2')
    await does(() => fireEvent.change(hook('causes-rotation'), { target: { value: 'block-hadamard' } }))
    expect(engine.questions).toHaveLength(12)
    expect(hook('causes-verdict').textContent).toMatch(/^Block Hadamard hurts here/)
  })

  it('trains a learned rotation only when asked', async () => {
    await open('#m=rtn&view=rotation&rr=spinquant')
    await does(() => engine.finish({ rtn: 0.2 }))
    expect(engine.explanations).toEqual([])
    await does(() => fireEvent.click(hook('causes-run')))
    const progress = { stage: 'training', done: 3, total: 9 }
    await does(() => engine.lastExplanation.emit({ kind: 'progress', progress }))
    expect(hook('causes-training').textContent).toContain('training, 3 of 9')
    await does(() => fireEvent.click(hook('causes-cancel')))
    await does(() => fireEvent.click(hook('causes-run')))
    await does(() => engine.finishExplanation())
    expect(hook('causes-verdict').textContent).toContain('with this seed alone')
  })

  it('says what kept it from being measured, and tries again', async () => {
    engine.causesError = { kind: 'gpu', code: 'GP-03', message: 'out of memory.' }
    await open('#m=rtn&view=rotation')
    await does(() => engine.finish({ rtn: 0.2 }))
    expect(hook('panel-rotation').querySelector('[role="alert"]')?.textContent).toContain('out of memory. (GP-03)')
    engine.causesError = null
    await does(() => fireEvent.click(screen.getAllByRole('button', { name: 'Try again' })[0]))
    expect(has('causes-verdict')).toBe(true)
  })

  it('says that nothing is rounded where both operands stay as loaded', async () => {
    await open('#m=rtn&view=rotation&set=custom&wf=16&af=16')
    expect(hook('causes-missing').textContent).toContain('Nothing is rounded')
  })
})
