/**
 * Methods inside a drawn figure: brings one forward and tells which one the pointer is on, without drawing again. Which
 * trace is of which method its `meta` says, which label its `name` (figures/figure.ts).
 */
import { useCallback, useContext, useEffect, useRef } from 'react'
import { litMethod } from '../../store/highlight'
import { StoreContext } from '../use-app'

/** What Plotly's elements carry: of a trace its points, of a point itself. */
interface Drawn extends Element {
  readonly __data__?: readonly [{ readonly trace?: { readonly meta?: unknown } }] | { readonly i?: number }
}

interface PointEvent {
  readonly points: readonly { readonly pointNumber?: number; readonly data: { readonly meta?: unknown } }[]
}

interface Host extends HTMLElement {
  on(event: 'plotly_hover' | 'plotly_click', handler: (event: PointEvent) => void): void
  on(event: 'plotly_unhover' | 'plotly_afterplot', handler: () => void): void
  readonly layout?: { readonly annotations?: readonly { readonly name?: string }[] }
}

const idsOf = (meta: unknown): readonly string[] =>
  Array.isArray(meta) && meta.every((id) => typeof id === 'string') ? meta : []
/** The method of one point: a trace has one for all its points, or one for each. */
const idAt = (ids: readonly string[], point = 0): string | null => (ids.length === 1 ? ids[0] : (ids[point] ?? null))

/** Every element of one method in a drawing: lines, single bars, names. */
function partsOf(host: Host): readonly { readonly element: Element; readonly id: string }[] {
  const traces = [...host.querySelectorAll<Drawn>('.scatterlayer > .trace, .barlayer > .trace')].flatMap((trace) => {
    const ids = idsOf(Array.isArray(trace.__data__) ? trace.__data__[0]?.trace?.meta : null)
    if (ids.length < 2) return ids.map((id) => ({ element: trace, id }))
    return [...trace.querySelectorAll<Drawn>('.point')].flatMap((element) => {
      const point = element.__data__
      const id = point && 'i' in point ? idAt(ids, point.i) : null
      return id === null ? [] : [{ element, id }]
    })
  })
  const labels = [...host.querySelectorAll('.annotation')].flatMap((element) => {
    const id = labelOf(host, element)
    return id === null ? [] : [{ element, id }]
  })
  return [...traces, ...labels]
}

function labelOf(host: Host, element: Element): string | null {
  return host.layout?.annotations?.[Number(element.getAttribute('data-index'))]?.name ?? null
}

/** Brings `lit` forward and the others back; all stay as drawn where it is null or not in the figure. */
export function lightMethod(element: HTMLElement, lit: string | null): void {
  const parts = partsOf(element as Host)
  const isHere = parts.some(({ id }) => id === lit)
  for (const { element: part, id } of parts) {
    if (isHere) part.setAttribute('data-method-trace', id === lit ? 'lit' : 'dimmed')
    else part.removeAttribute('data-method-trace')
  }
}

interface Pointing {
  readonly onPoint: (id: string | null) => void
  readonly onPick: (id: string) => void
  readonly onDrawn: () => void
}

/** Tells which method the pointer is on. Lasts as long as the host. */
export function watchMethods(element: HTMLElement, { onPoint, onPick, onDrawn }: Pointing): void {
  const host = element as Host
  const methodOf = ({ points: [point] }: PointEvent) => (point ? idAt(idsOf(point.data.meta), point.pointNumber) : null)
  const underPointer = ({ target }: Event) => {
    const label = target instanceof Element ? target.closest('.annotation') : null
    return label && labelOf(host, label)
  }
  host.on('plotly_hover', (event) => {
    const id = methodOf(event)
    if (id !== null) onPoint(id)
  })
  host.on('plotly_unhover', () => {
    if (host.querySelector('[data-method-trace]') !== null) onPoint(null)
  })
  host.on('plotly_click', (event) => {
    const id = methodOf(event)
    if (id !== null) onPick(id)
  })
  host.on('plotly_afterplot', onDrawn)
  host.addEventListener('pointerover', (event) => {
    const id = underPointer(event)
    if (id !== null) onPoint(id)
  })
  host.addEventListener('pointerout', (event) => {
    if (underPointer(event) !== null) onPoint(null)
  })
  host.addEventListener('click', (event) => {
    const id = underPointer(event)
    if (id !== null) onPick(id)
  })
}

/** Keeps the traces of a drawing in step with the page's method; returns what connects a drawing once it is there. */
export function useMethodTraces(): (host: HTMLElement) => void {
  const store = useContext(StoreContext)
  const host = useRef<HTMLElement | null>(null)
  useEffect(() => {
    return store?.subscribe((state, before) => {
      const lit = litMethod(state)
      if (host.current && lit !== litMethod(before)) lightMethod(host.current, lit)
    })
  }, [store])
  return useCallback(
    (element) => {
      if (!store) return
      host.current = element
      const light = () => lightMethod(element, litMethod(store.getState()))
      watchMethods(element, { onPoint: store.actions.pointMethod, onPick: store.actions.pinMethod, onDrawn: light })
      light()
    },
    [store],
  )
}
