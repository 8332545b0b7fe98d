// As an app's: the preset of React Native, and the packages that are ES modules named for Babel.
module.exports = {
  preset: "@react-native/jest-preset",
  testMatch: ["<rootDir>/tests/**/*.jest.js"],
  transform: { "^.+\\.(js|ts|tsx)$": ["babel-jest", { presets: ["module:@react-native/babel-preset"] }] },
  transformIgnorePatterns: ["node_modules/(?!(@react-native|react-native)/)"],
};
