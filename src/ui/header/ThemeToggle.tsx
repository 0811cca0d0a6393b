import { ActionIcon, Tooltip } from '@mantine/core'
import type { Theme } from '../../store/state'
import { HalfDisc } from '../icons'
import { useActions, useApp } from '../use-app'

const NEXT: Readonly<Record<Theme, Theme>> = { auto: 'light', light: 'dark', dark: 'auto' }
const NAMES: Readonly<Record<Theme, string>> = { auto: 'as the system', light: 'light', dark: 'dark' }

/** Steps through system, light and dark. */
export function ThemeToggle() {
  const theme = useApp((state) => state.view.theme)
  const { setTheme } = useActions()
  const label = `Theme: ${NAMES[theme]}. Switch to ${NAMES[NEXT[theme]]}.`
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="default"
        size={30}
        aria-label={label}
        data-test="theme"
        aria-keyshortcuts="t"
        onClick={() => setTheme(NEXT[theme])}
      >
        <HalfDisc />
      </ActionIcon>
    </Tooltip>
  )
}
