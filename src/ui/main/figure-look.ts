import { useComputedColorScheme } from '@mantine/core'
import { useMemo } from 'react'
import type { FigureOptions } from '../../figures/figure'
import { figureOptions } from '../../figures/options'
import { baselineResult, resultsOf, tiles } from '../../store/selectors'
import { useFigureTheme } from '../plot/figure-theme'
import { useApp } from '../use-app'

/** `current` for results of the setting on screen, `previous` for what is left from before, on axes of its own. */
export interface FigureLook {
  readonly current: FigureOptions
  readonly previous: FigureOptions
}

/** The colours that figures are drawn in. */
export function useTheme(): FigureOptions['theme'] {
  const page = useComputedColorScheme('light')
  return useFigureTheme() ?? page
}

/** Theme, shared scales and reference of the results on screen; the same objects while none of them changes. */
export function useFigureLook(): FigureLook {
  const theme = useTheme()
  const live = useApp((state) => resultsOf(tiles(state), 'live'))
  const left = useApp((state) => resultsOf(tiles(state).filter(({ status }) => status !== 'live')))
  const baseline = useApp(baselineResult)
  const axes = useApp((state) => state.view.axes)
  const current = useMemo(() => {
    const options = figureOptions(live, { theme, axes })
    return baseline ? { ...options, reference: baseline } : options
  }, [theme, axes, live, baseline])
  const previous = useMemo(() => figureOptions(left, { theme, axes }), [theme, axes, left])
  return useMemo(() => ({ current, previous }), [current, previous])
}
