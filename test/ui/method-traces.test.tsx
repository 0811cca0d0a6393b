import { expect, it, vi } from 'vitest'
import { lightMethod, watchMethods } from '../../src/ui/plot/method-traces'

/** Parts of a drawing as Plotly leaves them: groups that carry their points. */
function drawing() {
  const host = document.createElement('div')
  host.innerHTML = `
    <g class="scatterlayer"><g class="trace" id="rtn"></g><g class="trace" id="quarot"></g><g class="trace" id="rule"></g></g>
    <g class="barlayer"><g class="trace" id="bars"><g class="point" id="bar0"></g><g class="point" id="bar1"></g></g></g>
    <g class="annotation" data-index="0" id="note"><text></text></g>
    <g class="annotation" data-index="1" id="label"><text></text></g>`
  const carry = (id: string, data: unknown) =>
    Object.assign(host.querySelector(`#${id}`) as Element, { __data__: data })
  carry('rtn', [{ trace: { meta: ['rtn'] } }])
  carry('quarot', [{ trace: { meta: ['quarot'] } }])
  carry('rule', [{ trace: {} }])
  carry('bars', [{ trace: { meta: ['rtn', 'quarot'] } }])
  // In the order they are drawn, which need not be that of the data.
  carry('bar0', { i: 1 })
  carry('bar1', { i: 0 })
  const handlers: Record<string, (event: object) => void> = {}
  return Object.assign(host, {
    layout: { annotations: [{}, { name: 'quarot' }] },
    handlers,
    on: (name: string, handler: (event: object) => void) => {
      handlers[name] = handler
    },
  })
}

const states = (host: Element) =>
  Object.fromEntries(
    [...host.querySelectorAll('[data-method-trace]')].map((part) => [part.id, part.getAttribute('data-method-trace')]),
  )

it('brings the traces, bars and names of one method forward, and leaves what is of none', () => {
  const host = drawing()
  lightMethod(host, 'quarot')
  expect(states(host)).toEqual({ rtn: 'dimmed', quarot: 'lit', bar0: 'lit', bar1: 'dimmed', label: 'lit' })
  // A method that is not drawn here dims nothing.
  lightMethod(host, 'awq')
  expect(states(host)).toEqual({})
  lightMethod(host, 'rtn')
  lightMethod(host, null)
  expect(states(host)).toEqual({})
})

it('tells the method of the point or the name under the pointer', () => {
  const host = drawing()
  const told = { onPoint: vi.fn(), onPick: vi.fn(), onDrawn: vi.fn() }
  watchMethods(host, told)
  host.handlers.plotly_hover({ points: [{ pointNumber: 7, data: { meta: ['rtn'] } }] })
  host.handlers.plotly_hover({ points: [{ pointNumber: 1, data: { meta: ['rtn', 'quarot'] } }] })
  host.handlers.plotly_hover({ points: [{ pointNumber: 1, data: {} }] })
  expect(told.onPoint.mock.calls).toEqual([['rtn'], ['quarot']])
  host.handlers.plotly_click({ points: [{ pointNumber: 0, data: { meta: ['rtn', 'quarot'] } }] })
  for (const id of ['note', 'label']) {
    const text = host.querySelector(`#${id} text`)
    text?.dispatchEvent(new Event('pointerover', { bubbles: true }))
    text?.dispatchEvent(new Event('click', { bubbles: true }))
  }
  expect(told.onPoint.mock.calls.slice(2)).toEqual([['quarot']])
  expect(told.onPick.mock.calls).toEqual([['rtn'], ['quarot']])
})
