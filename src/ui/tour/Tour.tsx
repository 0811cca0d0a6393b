import { Button, CloseButton } from '@mantine/core'
import { type KeyboardEvent, useEffect, useRef } from 'react'
import { SAVED } from '../../store/saved-layer'
import { TOUR_STEPS, tourFragment, tourText } from '../../store/tour'
import { FIGURES } from '../main/figures-place'
import { useActions, useApp, useStateReader, useVocabulary } from '../use-app'
import styles from './Tour.module.css'

/** The card of the step that is on screen. It takes the focus; arrows step, Escape leaves. */
export function Tour() {
  const at = useApp((state) => state.guide.tour?.step ?? 0)
  const own = useApp(({ guide }) => {
    const active = guide.tour?.before.source.active ?? null
    return active === 'user' || active === SAVED
  })
  const step = TOUR_STEPS[at]
  const text = useApp((state, vocabulary) => tourText(step, state, vocabulary))
  const noGpu = useApp(({ device }) => device.status === 'unavailable' || device.status === 'lost')
  const { leaveTour } = useActions()
  const go = useStep()
  const card = useRef<HTMLElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the first step is shown once, when the tour opens
  useEffect(() => go(0), [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: every step is read from its beginning
  useEffect(() => card.current?.focus(), [at])
  // A phone scrolls: the figure begins at the top, so that its axis is above the card.
  // biome-ignore lint/correctness/useExhaustiveDependencies: of every step, and again once its figure has its height
  useEffect(() => {
    document.getElementById(FIGURES)?.scrollIntoView({ block: 'start' })
  }, [at, text !== null])
  // The offer that opened it may be gone.
  useEffect(() => () => document.getElementById(FIGURES)?.focus(), [])
  const onKeyDown = (event: KeyboardEvent) => {
    const act = { ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1), Escape: leaveTour }[event.key]
    if (!act) return
    event.preventDefault()
    act()
  }
  const waiting = noGpu ? 'This step needs a GPU; see the notice above.' : 'Computing what this step shows.'
  return (
    <section
      ref={card}
      tabIndex={-1}
      className={styles.card}
      data-tour
      aria-labelledby="tour-title"
      data-test={`tour-${step.id}`}
      onKeyDown={onKeyDown}
    >
      <div className={styles.head}>
        <h2 id="tour-title">{step.title}</h2>
        <span className={styles.count}>
          {at + 1} of {TOUR_STEPS.length}
        </span>
        <CloseButton size="sm" aria-label="Leave the tour" data-test="tour-close" onClick={leaveTour} />
      </div>
      <p aria-live="polite" data-test="tour-text">
        {text ?? waiting}
      </p>
      {own && <p className={styles.own}>This is the built-in layer; yours comes back when you leave.</p>}
      <div className={styles.buttons}>
        <Button size="xs" variant="default" disabled={at === 0} data-test="tour-back" onClick={() => go(at - 1)}>
          Back
        </Button>
        {at + 1 < TOUR_STEPS.length ? (
          <Button size="xs" data-test="tour-next" onClick={() => go(at + 1)}>
            Next
          </Button>
        ) : (
          <Button size="xs" data-test="tour-done" onClick={leaveTour}>
            Done
          </Button>
        )}
      </div>
    </section>
  )
}

/** Puts a step on screen; nothing beyond the first and the last. */
function useStep(): (step: number) => void {
  const { showTourStep } = useActions()
  const vocabulary = useVocabulary()
  const read = useStateReader()
  return (to) => {
    const step = TOUR_STEPS[to]
    if (step) void showTourStep(to, tourFragment(step, read().view, vocabulary))
  }
}
