import { savedOnScreen } from '../../store/saved-layer'
import { useActions, useApp } from '../use-app'
import styles from './TourOffer.module.css'

/** One line on the first visits, while a built-in layer is on screen: the tour, or not. */
export function TourOffer() {
  const offered = useApp(
    (state) =>
      state.guide.offersTour &&
      state.source.active !== 'user' &&
      state.source.pendingLink === null &&
      savedOnScreen(state) === null,
  )
  const { startTour, declineTour } = useActions()
  if (!offered) return null
  return (
    <p className={styles.offer} data-test="tour-offer">
      Six steps through this layer:{' '}
      <button type="button" data-test="tour-start" onClick={startTour}>
        start
      </button>{' '}
      <button type="button" data-test="tour-decline" onClick={declineTour}>
        not now
      </button>
    </p>
  )
}
